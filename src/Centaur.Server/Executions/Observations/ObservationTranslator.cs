using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Executions.Observations;

/// <summary>
/// Reads from one canonical event what is observed of it (contract §2.3). Only whole items are: a token delta, a plan, a notice of progress is not. Codex's own items,
/// which pass through as they are, are read like the canonical events that they stand for.
/// </summary>
internal static class ObservationTranslator
{
    const int CommandCharacters = 200;

    public static IEnumerable<Observation> Of(JsonElement e) => e.Text("type") switch
    {
        "assistant" => Assistant(e),
        "tool" => e.Items("content").Select(result => ToolResult(result.Text("tool_use_id"), result.Flag("is_error"), result.Member("content"))),
        "usage" => [Usage(e)],
        "reasoning" => [Observation.Reasoning(Length(e.Text("text")))],
        "command_execution" => [Command(e)],
        "file_change" => [Observation.FileChange(Count(e.Member("changes")))],
        "subagent" => [Subagent(e)],
        "result" => [Observation.Result(Length(e.Text("result") ?? e.Text("text")))],
        "error" => [Observation.Error(Length(e.Text("error") ?? e.Text("message")))],
        "system" => [Observation.System(e.Text("subtype"), e.Text("session_id"))],
        "item.started" when e.Member("item") is { } item => Started(item),
        "item.completed" when e.Member("item") is { } item => Completed(item),
        _ => [],
    };

    static IEnumerable<Observation> Assistant(JsonElement e)
    {
        var (blocks, characters, thought) = (0, 0L, 0L);
        List<Observation> calls = [];
        foreach (var block in e.Member("message")?.Items("content") ?? [])
        {
            switch (block.Text("type"))
            {
                case "text":
                    blocks++;
                    characters += Length(block.Text("text"));
                    break;
                case "thinking":
                    thought += Length(block.Text("thinking"));
                    break;
                case "tool_use":
                    calls.Add(ToolUse(block.Text("id"), block.Text("name"), block.Member("input")));
                    break;
            }
        }

        if (thought > 0)
            yield return Observation.Reasoning(thought);
        if (blocks > 0)
            yield return Observation.Text(blocks, characters);
        foreach (var call in calls)
            yield return call;
        if (e.Member("message") is { } message && message.Member("usage") is not null)
            yield return Usage(message);
    }

    static IEnumerable<Observation> Started(JsonElement item) => item.Text("type") switch
    {
        "mcpToolCall" or "mcp_tool_call" or "dynamicToolCall" => [ToolUse(item.Text("id"), item.Text("tool") ?? item.Text("name"), item.Member("arguments"))],
        _ => [],
    };

    static IEnumerable<Observation> Completed(JsonElement item) => item.Text("type") switch
    {
        "agentMessage" or "agent_message" => [Observation.Text(1, Length(item.Text("text")))],
        "reasoning" => [Observation.Reasoning(Length(item.Text("text")) + Texts(item, "summary") + Texts(item, "content"))],
        "commandExecution" or "command_execution" => [Command(item)],
        "fileChange" or "file_change" => [Observation.FileChange(Count(item.Member("changes")))],
        "mcpToolCall" or "mcp_tool_call" or "dynamicToolCall" =>
            [ToolResult(item.Text("id"), item.Member("error") is not null || item.Text("status") == "failed", item.Member("error") ?? item.Member("result"))],
        _ => [],
    };

    static Observation ToolUse(string? id, string? name, JsonElement? input) => Observation.ToolUse(
        id, name,
        input is { ValueKind: JsonValueKind.Object } members ? new JsonArray([.. members.EnumerateObject().Select(m => (JsonNode)m.Name)]) : [],
        Bytes(input));

    static Observation ToolResult(string? id, bool isError, JsonElement? content) =>
        Observation.ToolResult(id, isError, Bytes(content), isError ? ErrorCategory.Of(content?.ToString() ?? "") : null);

    static Observation Command(JsonElement e)
    {
        var command = e.Text("command") ?? "";
        var output = e.Text("aggregated_output") ?? e.Text("aggregatedOutput") ?? "";
        return new Observation(Observation.CommandKind, "obs.command_execution", new JsonObject
        {
            ["command"] = command.Length > CommandCharacters ? command[..CommandCharacters] : command,
            ["command_size_bytes"] = Encoding.UTF8.GetByteCount(command),
            ["output_size_bytes"] = Encoding.UTF8.GetByteCount(output),
            ["exit_code"] = (e.Member("exit_code") ?? e.Member("exitCode")) is { ValueKind: JsonValueKind.Number } code && code.TryGetInt32(out var exit) ? exit : null,
            ["status"] = e.Text("status"),
        });
    }

    static Observation Subagent(JsonElement e) => new("subagent_status_observed", "obs.subagent_status", new JsonObject
    {
        ["subagent_id"] = e.Text("subagent_id"),
        ["status"] = e.Text("status"),
        ["name"] = e.Text("name"),
        ["activity_count"] = e.Items("activities").Count() + (e.Member("activity") is null ? 0 : 1),
        ["summary_chars"] = Length(e.Text("summary")),
        ["error_chars"] = Length(e.Text("error")),
    });

    static Observation Usage(JsonElement holder)
    {
        var usage = holder.Member("usage") ?? default;
        var (input, output) = (usage.Number("input_tokens"), usage.Number("output_tokens"));
        var total = usage.Number("total_tokens");
        return new Observation(Observation.UsageKind, "obs.usage", new JsonObject
        {
            ["model"] = holder.Text("model") ?? usage.Text("model"),
            ["input_tokens"] = input,
            ["output_tokens"] = output,
            ["cache_creation_input_tokens"] = usage.Number("cache_creation_input_tokens"),
            ["cache_read_input_tokens"] = usage.Member("cache_read_input_tokens") is null ? usage.Number("cached_input_tokens") : usage.Number("cache_read_input_tokens"),
            ["cost_usd"] = usage.Member("cost_usd") is { ValueKind: JsonValueKind.Number } cost ? cost.GetDouble() : null,
            ["total_tokens"] = total > 0 ? total : input + output,
            ["authoritative"] = holder.Flag("authoritative"),
        });
    }

    static long Texts(JsonElement item, string list) =>
        item.Items(list).Sum(part => Length(part.ValueKind == JsonValueKind.String ? part.GetString() : part.Text("text")));

    static int Count(JsonElement? list) => list is { ValueKind: JsonValueKind.Array } array ? array.GetArrayLength() : 0;

    static int Bytes(JsonElement? value) => value switch
    {
        null => 0,
        { ValueKind: JsonValueKind.String } text => Encoding.UTF8.GetByteCount(text.GetString()!),
        var json => Encoding.UTF8.GetByteCount(json.Value.GetRawText()),
    };

    static long Length(string? text) => text?.Length ?? 0;
}
