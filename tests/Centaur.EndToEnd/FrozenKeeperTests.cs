using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>A keeper that is there and answers nobody, as one does whose machine thrashes or that somebody has stopped.</summary>
public sealed class FrozenKeeperTests(FrozenKeeperTests.ImpatientInstallation installation) : IClassFixture<FrozenKeeperTests.ImpatientInstallation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F5_a_turn_whose_keeper_answers_nobody_goes_on_in_another_sandbox_on_the_same_folder()
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Run: echo kept > kept.txt", Cancellation);
        var (first, keeper) = Freeze(conversation);

        var answer = await conversation.Say("Run: cat kept.txt", Cancellation);

        answer.GetProperty("result_text").GetString()!.ShouldContain("kept", customMessage: answer.ToString());
        SandboxProcesses.SandboxId(installation, conversation.ThreadKey).ShouldNotBe(first);
        Directory.Exists($"/proc/{keeper}").ShouldBeFalse();
    }

    [Fact]
    public async Task A_sandbox_whose_keeper_answers_nobody_ends_when_its_thread_is_stopped_and_nothing_of_it_goes_on()
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Run: echo kept > kept.txt", Cancellation);
        var jail = SandboxProcesses.Jail(installation, conversation.ThreadKey);
        var (_, keeper) = Freeze(conversation);

        await conversation.Stop(Cancellation);

        foreach (var process in jail.Append(keeper))
            await Programs.Until(() => !Directory.Exists($"/proc/{process}"), Cancellation);
        (await conversation.Say("Run: cat kept.txt", Cancellation)).GetProperty("result_text").GetString()!.ShouldContain("kept");
    }

    (string SandboxId, int Keeper) Freeze(Conversation conversation)
    {
        var keeper = SandboxProcesses.Keeper(installation, conversation.ThreadKey);
        SandboxProcesses.Pause(keeper);
        return (SandboxProcesses.SandboxId(installation, conversation.ThreadKey), keeper);
    }

    public sealed class ImpatientInstallation : Installation
    {
        protected override string MoreConfiguration => "sandbox: {answer_seconds: 5, reconcile_seconds: 1}";
    }
}
