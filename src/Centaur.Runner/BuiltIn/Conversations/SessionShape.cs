using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Conversations;

/// <summary>Checks a session file before it is believed: it lies in the agent's own home, where anything may have written to it.</summary>
internal static class SessionShape
{
    public static bool IsSound(JsonArray messages) => messages.All(message =>
        message is JsonObject && Text(message, "role") is "user" or "assistant" && message["content"] is JsonArray blocks && blocks.All(IsSoundBlock));

    static bool IsSoundBlock(JsonNode? block) => block is JsonObject && Text(block, "type") switch
    {
        "text" => Text(block, "text") is not null,
        "tool_use" => Text(block, "id") is not null && Text(block, "name") is not null && block["input"] is JsonObject,
        "tool_result" => Text(block, "tool_use_id") is not null && Text(block, "content") is not null,
        _ => false,
    };

    static string? Text(JsonNode? node, string member) =>
        (node as JsonObject)?[member] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
}
