using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Blocks of an answer as the conversation keeps them, and safe looks into JSON of a model.</summary>
internal static class AnswerBlocks
{
    /// <summary>Holds arguments that were no JSON object; no tool has such a parameter, so the model is told.</summary>
    public const string Unreadable = "_unreadable_arguments";

    public static JsonNode Text(string text) => new JsonObject { ["type"] = "text", ["text"] = text };

    public static JsonNode ToolUse(string? id, string? name, string arguments) => new JsonObject
    {
        ["type"] = "tool_use",
        ["id"] = id is { Length: > 0 } ? id : "call_" + Guid.CreateVersion7().ToString("N"),
        ["name"] = name ?? "",
        ["input"] = Input(arguments),
    };

    public static string? Text(this JsonObject node, string member) =>
        node[member] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public static int Number(this JsonObject node, string member) => (int)(node.Count(member) ?? 0);

    public static long? Count(this JsonObject node, string member) =>
        node[member] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var count) ? count : null;

    static JsonObject Input(string arguments)
    {
        if (arguments.Length == 0)
            return [];
        try
        {
            if (JsonNode.Parse(arguments) is JsonObject input)
                return input;
        }
        catch (JsonException)
        {
            // Small models write such; the tool box answers it.
        }

        return new JsonObject { [Unreadable] = arguments };
    }
}
