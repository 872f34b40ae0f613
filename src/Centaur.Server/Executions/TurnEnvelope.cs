using System.Text.Json.Nodes;
using Centaur.Protocol.Sandbox;

namespace Centaur.Server.Executions;

/// <param name="MessageId">The client's id.</param>
/// <param name="EventJson">The stored event, <c>{"type":"user","message":{"role","content"}}</c>.</param>
/// <param name="MetadataJson">May hold <c>user_id</c>.</param>
/// <param name="CreatedAt">The order of messages.</param>
internal sealed record UndeliveredMessage(string MessageId, string EventJson, string MetadataJson, DateTimeOffset CreatedAt);

/// <summary>Makes the one user message of a turn out of all messages that wait (wire contract §4).</summary>
internal static class TurnEnvelope
{
    public static string Of(IReadOnlyList<UndeliveredMessage> messages) => new JsonObject { ["role"] = "user", ["content"] = Content(messages) }.ToJsonString();

    /// <summary>The content blocks of that message.</summary>
    public static JsonArray Content(IReadOnlyList<UndeliveredMessage> messages)
    {
        var content = new JsonArray();
        foreach (var message in messages)
        {
            var user = Text(JsonNode.Parse(message.MetadataJson), "user_id");
            var first = true;
            foreach (var block in JsonNode.Parse(message.EventJson)?["message"]?["content"] as JsonArray ?? [])
            {
                if (block is null)
                    continue;
                content.Add(Block(block, first ? user : null));
                first &= Text(block, "type") != "text";
            }
        }
        return content;
    }

    /// <summary>The same input for a harness whose last attempt died with its sandbox.</summary>
    public static string AfterDeath(string input)
    {
        var message = JsonNode.Parse(input)!.AsObject();
        message["content"]!.AsArray().Insert(0, Text(
            "[Centaur: your last attempt at this turn was cut off because its sandbox ended. The workspace is as it was left. Look at what is done already, then finish the turn.]"));
        return message.ToJsonString();
    }

    static JsonNode Block(JsonNode block, string? user) => Text(block, "type") switch
    {
        "text" when user is not null => Text($"<@{user}>: {Text(block, "text")}"),
        "attachment_ref" => Text(Attachment(block)),
        _ => block.DeepClone(),
    };

    static string Attachment(JsonNode block)
    {
        var id = Text(block, "attachment_id") ?? Text(block, "id");
        var type = Text(block, "media_type") ?? Text(block, "mime_type") ?? "application/octet-stream";
        return $"""
            [Attachment {id} ({type}). Download it with:
            curl -sSf -H "Authorization: Bearer $(cat {JailPaths.ApiKeyFile})" "$CENTAUR_API_URL/agent/attachments/{id}/download" -o {id}]
            """;
    }

    /// <summary>A client may have put anything under a name: what is no text is none.</summary>
    static string? Text(JsonNode? node, string name) => (node as JsonObject)?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };
}
