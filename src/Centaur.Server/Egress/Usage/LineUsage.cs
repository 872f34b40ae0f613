using System.Text.Json;

namespace Centaur.Server.Egress.Usage;

/// <summary>What the line of an outcome says that a model's answers cost. A number that is null is unknown.</summary>
internal sealed record LineUsage(string? Model, int Calls, long? Input, long? Cached, long? CacheWrite, long? Output, bool IsPartial)
{
    /// <param name="line">A line that is stored.</param>
    /// <returns>Null where it says nothing of it.</returns>
    public static LineUsage? Read(AuditLine line)
    {
        if (line.Kind != "outcome" || !line.Text.Contains("\"usage\"", StringComparison.Ordinal))
            return null;
        using var json = JsonDocument.Parse(line.Text);
        return json.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object ? Read(usage) : null;
    }

    static LineUsage Read(JsonElement usage)
    {
        var calls = usage.TryGetProperty("calls", out var count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out var known) && known > 0 ? known : 1;
        var model = usage.TryGetProperty("model", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        return new LineUsage(
            model?.Contains('\0', StringComparison.Ordinal) == true ? null : model, calls, Tokens(usage, "input_tokens"), Tokens(usage, "cached_tokens"), Tokens(usage, "cache_write_tokens"),
            Tokens(usage, "output_tokens"), usage.TryGetProperty("partial", out var partial) && partial.ValueKind == JsonValueKind.True);
    }

    static long? Tokens(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out var tokens) && tokens.ValueKind == JsonValueKind.Number && tokens.TryGetInt64(out var count) && count >= 0 ? count : null;
}
