using System.Text.Json.Nodes;

namespace Centaur.Server.Executions.Observations;

/// <summary>One fact about a whole item of a turn: counts and sizes, never what was said (contract §2.3).</summary>
/// <param name="Kind">The event kind.</param>
/// <param name="Type">The JSON's <c>type</c>.</param>
/// <param name="Members">Its own members.</param>
internal sealed record Observation(string Kind, string Type, JsonObject Members)
{
    public const string TextKind = "assistant_text_observed";
    public const string ToolUseKind = "assistant_tool_use_observed";
    public const string ToolResultKind = "tool_result_observed";
    public const string ReasoningKind = "reasoning_observed";
    public const string CommandKind = "command_execution_observed";
    public const string UsageKind = "usage_observed";
    public const string ErrorKind = "error_observed";

    public static Observation Text(int blocks, long characters) =>
        new(TextKind, "obs.assistant_text", new JsonObject { ["text_block_count"] = blocks, ["text_chars"] = characters });

    public static Observation ToolUse(string? id, string? name, JsonArray inputKeys, int inputBytes) =>
        new(ToolUseKind, "obs.assistant_tool_use", new JsonObject { ["tool_use_id"] = id, ["tool_name"] = name, ["input_keys"] = inputKeys, ["input_size_bytes"] = inputBytes });

    public static Observation ToolResult(string? id, bool isError, long contentBytes, string? category)
    {
        var members = new JsonObject { ["tool_use_id"] = id, ["is_error"] = isError, ["content_size_bytes"] = contentBytes };
        if (category is not null)
            members["error_category"] = category;
        return new(ToolResultKind, "obs.tool_result", members);
    }

    public static Observation Reasoning(long characters) => new(ReasoningKind, "obs.reasoning", new JsonObject { ["text_chars"] = characters });

    public static Observation FileChange(int changes) => new("file_change_observed", "obs.file_change", new JsonObject { ["change_count"] = changes });

    public static Observation Result(long characters) => new("result_observed", "obs.result", new JsonObject { ["text_chars"] = characters });

    public static Observation Error(long characters) => new(ErrorKind, "obs.error", new JsonObject { ["error_chars"] = characters });

    public static Observation System(string? subtype, string? session) =>
        new("system_event_observed", "obs.system", new JsonObject { ["subtype"] = subtype, ["session_id"] = session });
}
