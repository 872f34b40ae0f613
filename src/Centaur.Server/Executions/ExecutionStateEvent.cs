using System.Text.Json.Nodes;
using Centaur.Server.Events;

namespace Centaur.Server.Executions;

/// <summary>The event that says where an execution stands (contract §2: kind <c>execution_state</c>).</summary>
internal static class ExecutionStateEvent
{
    public static NewEvent Of(string executionId, string threadKey, string status, params ReadOnlySpan<(string Name, JsonNode? Value)> more)
    {
        var json = new JsonObject { ["type"] = "execution.state", ["execution_id"] = executionId, ["thread_key"] = threadKey, ["status"] = status };
        foreach (var (name, value) in more)
            json[name] = value;
        return new NewEvent(EventKinds.ExecutionState, json.ToJsonString());
    }
}
