using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

public sealed class CancelTests(Installation installation) : IClassFixture<Installation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("built-in")]
    [InlineData("codex")]
    public async Task A_cancelled_turn_ends_at_once_shows_nothing_more_and_leaves_the_sandbox_to_the_next(string harness)
    {
        var conversation = new Conversation(installation, harness);
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var sandbox = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);
        var execution = await conversation.Start("Count to 200, one every 0.5 seconds", Cancellation);
        await foreach (var streamed in conversation.Events(execution, 0, Cancellation))
        {
            if (streamed.Json.GetRawText().Contains("delta", StringComparison.Ordinal))
                break;
        }

        using var asked = await installation.Http.PostAsync($"/agent/executions/{execution}/cancel", null, Cancellation);
        var cancelled = await conversation.End(execution, Cancellation);
        var next = await conversation.Say("Reply with exactly PONG.", Cancellation);

        (await asked.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("status").GetString().ShouldBe("cancel_requested");
        cancelled.GetProperty("status").GetString().ShouldBe("cancelled", cancelled.ToString());
        cancelled.GetProperty("terminal_reason").GetString().ShouldBe("cancel_requested");
        next.GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
        SandboxProcesses.SandboxId(installation, conversation.ThreadKey).ShouldBe(sandbox);
    }
}
