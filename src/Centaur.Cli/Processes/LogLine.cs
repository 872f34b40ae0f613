using System.Text.Json;

namespace Centaur.Cli.Processes;

/// <summary>One line of a program's log as a person reads it: a JSON line becomes its level and message, without the stack trace that stays in the file.</summary>
internal static class LogLine
{
    public static string ForPeople(string line)
    {
        if (!line.StartsWith('{'))
            return line;
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.TryGetProperty("Message", out var message) && json.RootElement.TryGetProperty("LogLevel", out var level)
                ? $"{level.GetString()}: {message.GetString()}"
                : line;
        }
        catch (JsonException)
        {
            return line;
        }
    }
}
