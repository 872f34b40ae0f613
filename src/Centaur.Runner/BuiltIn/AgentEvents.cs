using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn;

/// <summary>The canonical events of contract §4.1 that this harness emits.</summary>
internal static class AgentEvents
{
    public static JsonObject Init(string session, AgentOptions options, IEnumerable<string> tools) => new()
    {
        ["type"] = "system",
        ["subtype"] = "init",
        ["session_id"] = session,
        ["model"] = options.Model,
        ["cwd"] = options.Workspace,
        ["tools"] = new JsonArray([.. tools.Select(name => (JsonNode)name)]),
    };

    public static JsonObject TextDelta(string text) => new()
    {
        ["type"] = "content_block_delta",
        ["index"] = 0,
        ["delta"] = new JsonObject { ["type"] = "text_delta", ["text"] = text },
    };

    /// <summary>Without a stop reason: the end of the turn is told by <see cref="Result"/> alone.</summary>
    public static JsonObject Assistant(string session, string model, JsonArray content) => new()
    {
        ["type"] = "assistant",
        ["message"] = new JsonObject { ["role"] = "assistant", ["model"] = model, ["content"] = content.DeepClone() },
        ["session_id"] = session,
    };

    public static JsonObject Tool(string toolUse, string content, bool isError) => new()
    {
        ["type"] = "tool",
        ["content"] = new JsonArray(new JsonObject { ["tool_use_id"] = toolUse, ["content"] = content, ["is_error"] = isError }),
    };

    public static JsonObject Usage(string model, JsonObject usage) =>
        new() { ["type"] = "usage", ["usage"] = usage, ["model"] = model, ["authoritative"] = true };

    public static JsonObject Status(string message) => new() { ["type"] = "status", ["message"] = message };

    public static JsonObject Result(string session, TurnOutcome outcome, JsonObject usage) => new()
    {
        ["type"] = "result",
        ["subtype"] = outcome.Subtype,
        ["is_error"] = outcome.IsError,
        ["result"] = outcome.Text,
        ["session_id"] = session,
        ["num_turns"] = outcome.Steps,
        ["duration_ms"] = (long)outcome.Duration.TotalMilliseconds,
        ["usage"] = usage,
    };

    /// <summary>The harness cannot work at all.</summary>
    public static JsonObject Failed(string message) =>
        new() { ["type"] = "result", ["subtype"] = "error_during_execution", ["is_error"] = true, ["result"] = message };
}
