using System.Text;
using System.Text.Json;

namespace Centaur.Server.Egress;

/// <summary>One line of an audit file, and what of it is looked for.</summary>
/// <param name="Text">The line, without its line feed.</param>
/// <param name="Kind"><c>intent</c>, <c>outcome</c> or <c>refusal</c>.</param>
/// <param name="RequestId">Binds the records of one request; null where there was none yet.</param>
/// <param name="ThreadKey">Null for a spare sandbox.</param>
/// <param name="TurnId">Null outside of a turn.</param>
/// <param name="Time">The proxy's clock, to the microsecond, as the database keeps it.</param>
internal sealed record AuditLine(string Text, string Kind, string? RequestId, string? ThreadKey, string? TurnId, DateTimeOffset Time)
{
    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null for what no proxy writes, and for what the database could not hold.</summary>
    public static AuditLine? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var text = Strict.GetString(line);
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            return root.ValueKind == JsonValueKind.Object && Word(root, "kind") is { Length: > 0 } kind && root.TryGetProperty("time", out var time) && time.TryGetDateTimeOffset(out var at)
                ? new AuditLine(text, kind, Word(root, "id"), Word(root, "thread"), Word(root, "turn"), Microseconds(at))
                : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    static string? Word(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
            return null;
        var text = value.GetString();
        return text?.Contains('\0', StringComparison.Ordinal) == true ? throw new JsonException($"{name} holds a character that no text of the database does.") : text;
    }

    static DateTimeOffset Microseconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
