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
            var user = JsonNode.Parse(message.MetadataJson)?["user_id"]?.GetValue<string>();
            var first = true;
            foreach (var block in JsonNode.Parse(message.EventJson)?["message"]?["content"]?.AsArray() ?? [])
            {
                if (block is null)
                    continue;
                content.Add(Block(block, first ? user : null));
                first &= block["type"]?.GetValue<string>() != "text";
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

    static JsonNode Block(JsonNode block, string? user) => block["type"]?.GetValue<string>() switch
    {
        "text" when user is not null => Text($"<@{user}>: {block["text"]?.GetValue<string>()}"),
        "attachment_ref" => Text(Attachment(block)),
        _ => block.DeepClone(),
    };

    static string Attachment(JsonNode block)
    {
        var id = block["attachment_id"]?.GetValue<string>() ?? block["id"]?.GetValue<string>();
        var type = block["media_type"]?.GetValue<string>() ?? block["mime_type"]?.GetValue<string>() ?? "application/octet-stream";
        return $"""
            [Attachment {id} ({type}). Download it with:
            curl -sSf -H "Authorization: Bearer $(cat {JailPaths.ApiKeyFile})" "$CENTAUR_API_URL/agent/attachments/{id}/download" -o {id}]
            """;
    }

    static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };
}
