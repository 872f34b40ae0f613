using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>
/// Codex's notifications as events: <c>a/b</c> becomes type <c>a.b</c> with the same members (contract §4.2); an <c>error</c> with <c>willRetry</c> ends nothing.
/// What a subagent does is told as <c>subagent</c>, so that its end is not taken for the turn's.
/// </summary>
internal static class CodexEvents
{
    public static JsonObject Heartbeat(string phase) => new() { ["type"] = "system", ["subtype"] = "wrapper_heartbeat", ["phase"] = phase };

    public static JsonObject Status(string message) => new() { ["type"] = "status", ["message"] = message };

    public static JsonObject Error(string message) =>
        new() { ["type"] = "error", ["message"] = message, ["error"] = new JsonObject { ["message"] = message } };

    public static JsonObject TurnFailed(string message) => new() { ["type"] = "turn.failed", ["error"] = new JsonObject { ["message"] = message } };

    public static JsonObject ThreadStarted(string thread, JsonElement result) => new()
    {
        ["type"] = "thread.started",
        ["thread_id"] = thread,
        ["model"] = result.Text("model"),
    };

    public static JsonObject AgentMessage(string text) =>
        new() { ["type"] = "item.completed", ["item"] = new JsonObject { ["type"] = "agentMessage", ["text"] = text } };

    public static JsonObject GoalCompleted(string thread) => new() { ["type"] = "turn.completed", ["threadId"] = thread };

    /// <summary>Null where the event belongs to no thread.</summary>
    public static string? ThreadOf(JsonElement parameters) => parameters.Text("threadId") ?? parameters.Member("thread")?.Text("id");

    /// <summary>The id of the turn that a notification about a turn speaks of.</summary>
    public static string? TurnOf(JsonElement parameters) => parameters.Member("turn")?.Text("id");

    public static ReadOnlyMemory<byte> Of(string method, JsonElement parameters)
    {
        var happened = new JsonObject { ["type"] = method.Replace('/', '.') };
        if (method == "error")
            happened["message"] = ErrorOf(parameters);
        return JsonLine.Of(happened, parameters);
    }

    public static ReadOnlyMemory<byte> TurnEnded(JsonElement completion, JsonObject usage)
    {
        var status = StatusOf(completion);
        var ended = new JsonObject { ["type"] = status == "completed" ? "turn.completed" : "turn.failed", ["usage"] = usage };
        if (status != "completed")
            ended["error"] = new JsonObject { ["message"] = status == "interrupted" ? "interrupted" : ErrorOf(completion.Member("turn") ?? default) };
        return JsonLine.Of(ended, completion);
    }

    public static JsonObject? OfSubagent(string thread, string method, JsonElement parameters)
    {
        var status = method switch
        {
            "turn/started" => "started",
            "turn/completed" => StatusOf(parameters) == "completed" ? "completed" : "failed",
            "item/started" => "working",
            _ => null,
        };
        if (status is null)
            return null;
        var activity = new JsonObject { ["type"] = "subagent", ["status"] = status, ["subagent_id"] = thread };
        if (status == "working" && parameters.Member("item") is { } item)
            activity["activity"] = new JsonObject { ["description"] = item.Text("command") ?? item.Text("type") };
        return activity;
    }

    static string? StatusOf(JsonElement completion) => completion.Member("turn")?.Text("status");

    static string ErrorOf(JsonElement holder) => holder.Member("error")?.Text("message") ?? "codex gave no reason";
}
