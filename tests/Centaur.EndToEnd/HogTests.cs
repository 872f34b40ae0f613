using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>Small sandboxes, so that what a hog takes is soon all it can get.</summary>
public sealed class SmallSandboxes : Installation
{
    protected override string MoreConfiguration => "sandbox: {home_size: 128MiB, tmp_size: 32MiB, memory: 512MiB, processes: 128}";
}

/// <summary>What a sandbox takes too much of is its own.</summary>
public sealed class HogTests(SmallSandboxes installation) : IClassFixture<SmallSandboxes>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F48_what_a_hog_takes_is_its_own_and_its_neighbour_goes_on()
    {
        var hog = new Conversation(installation, "built-in");
        var neighbour = new Conversation(installation, "built-in");
        await hog.Say("Reply with exactly READY.", Cancellation);
        await neighbour.Say("Reply with exactly READY.", Cancellation);

        var bomb = await Run(hog, "bash -c 'b() { b | b & }; b' 2>&1 | head -2; sleep 2; echo over");
        var disk = await Run(hog, "head -c 100000000000 /dev/zero 2>&1 > big | tail -1; rm -f big");
        var files = await Run(hog, "mkdir m; cd m; python3 -c 'import os; [os.close(os.open(str(i), os.O_CREAT)) for i in range(1000000)]' 2>&1 | tail -1; cd ..; rm -rf m; echo cleaned");
        var memory = await hog.Say("Run: python3 -c 'x = [bytearray(1 << 20) for _ in range(100000)]'; echo code $?", Cancellation);
        var calm = await neighbour.Say("Reply with exactly PONG.", Cancellation);

        bomb.ShouldContain("over");
        disk.ShouldContain("No space left on device");
        files.ShouldContain("No space left on device");
        memory.ToString().ShouldContain("137");
        calm.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
    }

    static async Task<string> Run(Conversation conversation, string command)
    {
        var ended = await conversation.Say($"Run: {command}", Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        return ended.GetProperty("result_text").GetString()!;
    }
}
