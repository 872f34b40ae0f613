using System.Text.Json;

namespace Centaur.Cli.Processes;

/// <summary>One line of a program's log as a person reads it: a JSON line becomes its level and message, without the stack trace that stays in the file.</summary>
internal static class LogLine
{
    public static string ForPeople(string line) => Read(line, withTime: false);

    /// <summary>The same with its time, and with the first line of its exception.</summary>
    public static string WithTime(string line) => Read(line, withTime: true);

    static string Read(string line, bool withTime)
    {
        if (!line.StartsWith('{'))
            return line;
        try
        {
            using var json = JsonDocument.Parse(line);
            var entry = json.RootElement;
            if (Text(entry, "Message") is not { } message || Text(entry, "LogLevel") is not { } level)
                return line;
            return withTime
                ? $"{Text(entry, "Timestamp")} {level}: {message}{(Text(entry, "Exception") is { } thrown ? $" ({thrown.Split('\n')[0].Trim()})" : "")}".TrimStart()
                : $"{level}: {message}";
        }
        catch (JsonException)
        {
            return line;
        }
    }

    static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
