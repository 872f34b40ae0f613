using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;

namespace Centaur.Cli.Ask;

/// <summary>Turns a thread's events into lines of progress: one for each thing the agent does, and none for what it says, which is the answer's part.</summary>
internal sealed class AskProgress(Terminal terminal)
{
    const int Longest = 140;

    readonly HashSet<string> shown = new(StringComparer.Ordinal);

    public void Show(ThreadEvent happened)
    {
        if (Line(happened) is { } line)
            terminal.Note(line.Length > Longest ? line[..Longest] + "…" : line);
    }

    internal string? Line(ThreadEvent happened) => happened.Kind switch
    {
        "execution_state" => State(happened.Data),
        "amp_raw_event" => Raw(happened.Data),
        _ => null,
    };

    string? State(JsonElement state) => Text(state, "status") switch
    {
        "running" when shown.Add("running") => "The agent is at work …",
        "retry_wait" => "The agent's stream broke; it is taken up again …",
        "queued" when state.TryGetProperty("retry", out _) => "The turn is tried again …",
        _ => null,
    };

    string? Raw(JsonElement raw)
    {
        switch (Text(raw, "type"))
        {
            case "assistant":
                return ToolUse(raw);
            case "command_execution":
                return Once(Text(raw, "id"), $"$ {Text(raw, "command")}");
            case "file_change":
                return "Files changed";
            case "status":
                return Text(raw, "message");
            case "error":
                return $"! {Text(raw, "error")}";
            case "item.started" or "item.completed" when raw.TryGetProperty("item", out var item):
                return Item(item);
            default:
                return null;
        }
    }

    string? ToolUse(JsonElement raw)
    {
        if (!raw.TryGetProperty("message", out var message) || !message.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.Array)
            return null;
        foreach (var block in content.EnumerateArray())
        {
            if (Text(block, "type") != "tool_use")
                continue;
            var input = block.TryGetProperty("input", out var value) ? Text(value, "command") ?? value.GetRawText() : "";
            return Once(Text(block, "id"), $"→ {Text(block, "name")} {input}");
        }

        return null;
    }

    string? Item(JsonElement item) => Text(item, "type") switch
    {
        "command_execution" or "commandExecution" => Once(Text(item, "id"), $"$ {Text(item, "command")}"),
        "mcp_tool_call" or "mcpToolCall" => Once(Text(item, "id"), $"→ {Text(item, "tool")}"),
        "file_change" or "fileChange" => Once(Text(item, "id"), "Files changed"),
        _ => null,
    };

    string? Once(string? id, string line) => id is null || shown.Add(id) ? line : null;

    static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value)
            ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText()
            : null;
}
