using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis;

/// <summary>Looks into JSON that nobody has vouched for.</summary>
internal static class JsonReading
{
    public static string? Text(this JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public static string? Text(this JsonNode? node, string member) => (node as JsonObject)?[member].Text();

    public static bool True(this JsonNode? node) => node?.GetValueKind() == JsonValueKind.True;

    public static bool IsBoolean(this JsonNode? node) => node?.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    public static IEnumerable<JsonNode?> Items(this JsonNode? node) => node as JsonArray ?? [];

    /// <summary>The texts of a content that is a string, or an array of parts where some have a text.</summary>
    public static IEnumerable<string> Texts(this JsonNode? content) =>
        content.Text() is { } text ? [text] : content.Items().Select(part => part.Text("text")).OfType<string>();
}
