using System.Net.Http.Json;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

public sealed class SteerTests(Installation installation) : IClassFixture<Installation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("built-in")]
    [InlineData("codex")]
    public async Task Words_sent_into_a_running_turn_reach_its_harness_once_and_the_sender_is_told(string harness)
    {
        var conversation = new Conversation(installation, harness);
        var execution = await conversation.Start("Count to 8, one every 0.5 seconds", Cancellation);
        await foreach (var streamed in conversation.Events(execution, 0, Cancellation))
        {
            if (streamed.Json.GetRawText().Contains("delta", StringComparison.Ordinal))
                break;
        }

        var receipt = await Steer(execution, "steer-1");
        var again = await Steer(execution, "steer-1");
        var ended = await conversation.End(execution, Cancellation);

        receipt.GetProperty("status").GetString().ShouldBe("steered");
        receipt.GetProperty("receipt").GetString().ShouldBe("applied");
        again.GetProperty("receipt").GetString().ShouldBe("applied");
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        ended.GetProperty("result_text").GetString()!.ShouldContain("STEERED");
        installation.Model.Requests[^1].ToJsonString().Split("Reply with exactly STEERED").Length.ShouldBe(2, "the model read it once");
    }

    async Task<JsonElement> Steer(string execution, string messageId)
    {
        using var response = await installation.Http.PostAsJsonAsync(
            $"/agent/executions/{execution}/steer",
            new { message_id = messageId, content_blocks = new[] { new { type = "text", text = "Reply with exactly STEERED." } } },
            Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync(Cancellation));
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
    }
}
