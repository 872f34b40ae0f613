using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Reads the error bodies of many vendors: most have <c>error.message</c>, some a string.</summary>
internal static class ModelErrors
{
    const int MaxLength = 600;

    static readonly string[] TooLongWords =
    [
        "context_length", "context length", "context window", "maximum context", "prompt is too long", "too many tokens", "exceeds the maximum size", "input is too long",
    ];

    public static string MessageOf(string body)
    {
        try
        {
            return Cut(MessageOf(JsonNode.Parse(body)) ?? body);
        }
        catch (JsonException)
        {
            return Cut(body);
        }
    }

    public static string? MessageOf(JsonNode? body) => (body as JsonObject)?["error"] switch
    {
        JsonObject error => Text(error["message"]),
        { } error => Text(error),
        null => Text((body as JsonObject)?["message"]),
    };

    public static bool IsTooLong(string message) => TooLongWords.Any(words => message.Contains(words, StringComparison.OrdinalIgnoreCase));

    static string? Text(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    static string Cut(string text)
    {
        var trimmed = text.Trim();
        return trimmed.Length == 0 ? "no reason given" : trimmed.Length <= MaxLength ? trimmed : trimmed[..MaxLength] + "…";
    }
}
