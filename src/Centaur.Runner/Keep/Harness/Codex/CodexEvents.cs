using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>
/// Codex's notifications as events: <c>a/b</c> becomes type <c>a.b</c> with the same members (contract §4.2). Because an event of type <c>error</c> ends a
/// turn, an error that codex will retry is a <c>status</c>; what a subagent does is told as <c>subagent</c>, so that its end is not taken for the turn's.
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
        ["model"] = result.TryGetProperty("model", out var model) ? model.GetString() : null,
    };

    public static JsonObject AgentMessage(string text) =>
        new() { ["type"] = "item.completed", ["item"] = new JsonObject { ["type"] = "agentMessage", ["text"] = text } };

    public static JsonObject GoalCompleted(string thread) => new() { ["type"] = "turn.completed", ["threadId"] = thread };

    /// <summary>Null where the event belongs to no thread.</summary>
    public static string? ThreadOf(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
            return null;
        if (parameters.TryGetProperty("threadId", out var id) && id.ValueKind == JsonValueKind.String)
            return id.GetString();
        return parameters.TryGetProperty("thread", out var thread) && thread.ValueKind == JsonValueKind.Object && thread.TryGetProperty("id", out id)
            ? id.GetString()
            : null;
    }

    public static JsonObject Of(string method, JsonElement parameters)
    {
        if (method == "error")
            return OfError(parameters);
        return With(method.Replace('/', '.'), parameters);
    }

    public static JsonObject TurnEnded(JsonElement completion, JsonObject usage)
    {
        var turn = completion.GetProperty("turn");
        var status = turn.GetProperty("status").GetString();
        var ended = With(status == "completed" ? "turn.completed" : "turn.failed", completion);
        ended["usage"] = usage;
        if (status != "completed")
            ended["error"] = new JsonObject { ["message"] = status == "interrupted" ? "interrupted" : ErrorOf(turn) };
        return ended;
    }

    public static JsonObject? OfSubagent(string thread, string method, JsonElement parameters)
    {
        var status = method switch
        {
            "turn/started" => "started",
            "turn/completed" => parameters.GetProperty("turn").GetProperty("status").GetString() == "completed" ? "completed" : "failed",
            "item/started" => "working",
            _ => null,
        };
        if (status is null)
            return null;
        var activity = new JsonObject { ["type"] = "subagent", ["status"] = status, ["subagent_id"] = thread };
        if (status == "working" && parameters.TryGetProperty("item", out var item))
            activity["activity"] = new JsonObject { ["description"] = item.TryGetProperty("command", out var command) ? command.ToString() : item.GetProperty("type").ToString() };
        return activity;
    }

    static JsonObject OfError(JsonElement parameters)
    {
        var message = ErrorOf(parameters);
        if (parameters.TryGetProperty("willRetry", out var retry) && retry.ValueKind == JsonValueKind.True)
            return With("status", parameters, message);
        return With("error", parameters, message);
    }

    static string ErrorOf(JsonElement holder) =>
        holder.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message)
            ? message.ToString()
            : "codex gave no reason";

    static JsonObject With(string type, JsonElement parameters, string? message = null)
    {
        var happened = new JsonObject { ["type"] = type };
        if (message is not null)
            happened["message"] = message;
        if (parameters.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in parameters.EnumerateObject().Where(member => !happened.ContainsKey(member.Name)))
                happened[member.Name] = JsonNode.Parse(member.Value.GetRawText());
        }

        return happened;
    }
}
