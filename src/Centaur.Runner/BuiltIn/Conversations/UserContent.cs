using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Conversations;

/// <summary>Turns a user message's content into text blocks. What is not text is named, so that the model knows that it was there.</summary>
internal static class UserContent
{
    public static IReadOnlyList<JsonObject> Of(JsonElement message)
    {
        var content = message.TryGetProperty("content", out var given) ? given : default;
        var texts = content.ValueKind switch
        {
            JsonValueKind.String => [content.GetString()!],
            JsonValueKind.Array => content.EnumerateArray().Select(TextOf).ToList(),
            _ => new List<string>(),
        };
        // An empty text is refused by the APIs.
        texts.RemoveAll(string.IsNullOrEmpty);
        if (texts.Count == 0)
            texts.Add("(empty message)");
        return [.. texts.Select(text => new JsonObject { ["type"] = "text", ["text"] = text })];
    }

    static string TextOf(JsonElement block) =>
        Member(block, "text") ?? $"[{Member(block, "type") ?? "unknown"} attachment {Member(block, "name") ?? ""}]";

    static string? Member(JsonElement block, string name) =>
        block.ValueKind == JsonValueKind.Object && block.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
