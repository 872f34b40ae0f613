using System.Diagnostics;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>Turns that do not end by themselves, on a server that waits for seconds where others wait for an hour.</summary>
public sealed class DeadlineTests(DeadlineTests.ImpatientInstallation installation) : IClassFixture<DeadlineTests.ImpatientInstallation>
{
    public sealed class ImpatientInstallation : Installation
    {
        public ImpatientInstallation()
        {
            Variables["EXECUTION_SILENCE_TIMEOUT_S"] = "4";
            Variables["EXECUTION_TOOL_SILENCE_TIMEOUT_S"] = "4";
            Variables["EXECUTION_HARD_TIMEOUT_S"] = "8";
        }
    }

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Run: sleep 7000", "silence_deadline_exceeded", "silence")]
    [InlineData("Count to 100, one every 0.5 seconds", "hard_deadline_exceeded", "deadline")]
    public async Task F31_a_turn_that_never_ends_is_ended_by_silence_or_by_the_hard_limit_with_its_sandbox_and_the_thread_goes_on(string order, string reason, string cause)
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var sandbox = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);
        var began = Stopwatch.GetTimestamp();

        var ended = await conversation.Say(order, Cancellation);

        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(18));
        ended.GetProperty("status").GetString().ShouldBe("failed_permanent", ended.ToString());
        ended.GetProperty("terminal_reason").GetString().ShouldBe(reason);
        await Programs.Until(() => !SandboxProcesses.Keepers(installation).Contains(sandbox), Cancellation);
        Cause(sandbox).ShouldBe(cause);
        (await conversation.Say("Reply with exactly PONG.", Cancellation)).GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
    }

    string? Cause(string sandbox)
    {
        using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var command = source.CreateCommand("select cause from sandboxes where sandbox_id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = sandbox });
        return (string?)command.ExecuteScalar();
    }
}
