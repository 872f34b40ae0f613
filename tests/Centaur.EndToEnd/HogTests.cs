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

    [Theory]
    [InlineData("a fork bomb", "bash -c 'b() { b | b & }; b' 2>&1 | head -2; sleep 1; echo over", "Resource temporarily unavailable")]
    [InlineData("a full disk", "head -c 100000000000 /dev/zero 2>&1 > big | tail -1; rm -f big", "No space left on device")]
    [InlineData("a million files", "mkdir m; cd m; python3 -c 'import os; [os.close(os.open(str(i), os.O_CREAT)) for i in range(1000000)]' 2>&1 | tail -1; cd ..; rm -rf m", "No space left on device")]
    [InlineData("a memory hog", "python3 -c 'x = [bytearray(1 << 20) for _ in range(100000)]' || echo code $?", "137")]
    public async Task F48_what_a_hog_takes_is_its_own_and_it_and_its_neighbour_go_on(string hog, string command, string explained)
    {
        var neighbour = new Conversation(installation, "built-in");
        await neighbour.Say("Reply with exactly READY.", Cancellation);

        var conversation = new Conversation(installation, "built-in");
        var answer = await Run(conversation, command);
        var calm = await neighbour.Say("Reply with exactly PONG.", Cancellation);
        var own = await conversation.Say("Reply with exactly PONG.", Cancellation);

        answer.ShouldContain(explained, customMessage: hog);
        calm.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
        own.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG", own.ToString());
    }

    [Fact]
    public async Task F5_a_turn_whose_harness_is_killed_for_memory_twice_fails_within_ten_seconds_of_the_second_and_says_that_it_was_memory()
    {
        var conversation = new Conversation(installation, "built-in");
        // The kernel is told to take the harness first, as it would where the harness itself had grown.
        var execution = await conversation.Start("Run: echo 1000 > /proc/$PPID/oom_score_adj; python3 -c 'x = [bytearray(1 << 20) for _ in range(100000)]'", Cancellation);
        var replayed = 0L;
        await foreach (var streamed in conversation.Events(execution, 0, Cancellation))
        {
            if (streamed.Json.GetRawText().Contains("The turn is tried once more in a new sandbox", StringComparison.Ordinal))
                replayed = System.Diagnostics.Stopwatch.GetTimestamp();
        }

        var ended = await conversation.Execution(execution, Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("failed_permanent", ended.ToString());
        ended.GetProperty("error_text").GetString()!.ShouldStartWith("The harness was killed because the sandbox ran out of memory.");
        replayed.ShouldNotBe(0);
        System.Diagnostics.Stopwatch.GetElapsedTime(replayed).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        var next = await conversation.Say("Reply with exactly PONG.", Cancellation);
        next.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
    }

    static async Task<string> Run(Conversation conversation, string command)
    {
        var ended = await conversation.Say($"Run: {command}", Cancellation);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        return ended.GetProperty("result_text").GetString()!;
    }
}
