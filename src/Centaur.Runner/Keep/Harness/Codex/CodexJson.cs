using System.Text.Json;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>Reads what a harness wrote: what is missing or of another type is null, for a harness may be anything.</summary>
internal static class CodexJson
{
    public static JsonElement? Member(this JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;

    public static string? Text(this JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static long Count(this JsonElement holder, string name) =>
        holder.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count) ? count : 0;
}
