using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Server.Harnesses;

/// <summary>Makes canonical events (wire contract §4.1).</summary>
internal static class Canonical
{
    public static string Init(string sessionId, string? model)
    {
        var init = new JsonObject { ["type"] = "system", ["subtype"] = "init", ["session_id"] = sessionId };
        if (model is not null)
            init["model"] = model;
        return init.ToJsonString();
    }

    public static string Error(string message, bool willRetry = false)
    {
        var e = new JsonObject { ["type"] = "error", ["error"] = message };
        if (willRetry)
            e["will_retry"] = true;
        return e.ToJsonString();
    }

    /// <summary>Something for people that is neither the harness's answer nor its failure.</summary>
    public static string Status(string message) => new JsonObject { ["type"] = "status", ["message"] = message }.ToJsonString();

    public static string? Usage(TurnUsage? usage) => usage is null
        ? null
        : new JsonObject
        {
            ["type"] = "usage",
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = usage.InputTokens,
                ["output_tokens"] = usage.OutputTokens,
                ["cached_input_tokens"] = usage.CachedInputTokens,
            },
            ["authoritative"] = true,
        }.ToJsonString();
}

/// <summary>Reads members of JSON that somebody else wrote: what is missing or of another type is null, never an exception.</summary>
internal static class JsonReading
{
    public static JsonElement? Member(this JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null ? found : null;

    public static string? Text(this JsonElement e, string name) =>
        e.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static long Number(this JsonElement e, string name) =>
        e.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : 0;

    public static bool Flag(this JsonElement e, string name) => e.Member(name) is { ValueKind: JsonValueKind.True };

    public static IEnumerable<JsonElement> Items(this JsonElement e, string name) =>
        e.Member(name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];
}
