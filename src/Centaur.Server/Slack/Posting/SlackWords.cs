using System.Text.Json.Nodes;

namespace Centaur.Server.Slack.Posting;

/// <summary>What the thread is told of an execution's end: the answer, or in plain words why there is none.</summary>
internal static class SlackWords
{
    public static string Of(string executionId, JsonObject payload)
    {
        var answer = Answer(payload);
        var error = Text(payload, "error_text");
        return Text(payload, "status") switch
        {
            "failed_permanent" => Joined(answer, $":x: This turn failed: {error ?? Text(payload, "terminal_reason") ?? "no reason was given"}\n_{executionId}_"),
            "cancelled" => Joined(answer, ":black_square_for_stop: This turn was cancelled."),
            "refused" => $":warning: {error}",
            _ => answer ?? $"The turn completed without a final text. _{executionId}_",
        };
    }

    /// <summary>The first of the places where an answer has ever stood (contract §8).</summary>
    static string? Answer(JsonObject payload) =>
        ((string[])["result_text", "result", "text", "final_text", "message"]).Select(name => Text(payload, name)).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    static string Joined(string? answer, string ending) => answer is null ? ending : $"{answer}\n\n{ending}";

    static string? Text(JsonObject payload, string name) => payload[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
