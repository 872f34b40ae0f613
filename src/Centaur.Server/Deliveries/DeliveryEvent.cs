using System.Text.Json.Nodes;
using Centaur.Server.Events;

namespace Centaur.Server.Deliveries;

/// <summary>What a thread's log says about a delivery.</summary>
internal static class DeliveryEvent
{
    public static NewEvent Of(string kind, string type, string executionId, string threadKey, params ReadOnlySpan<(string Name, JsonNode? Value)> more)
    {
        var json = new JsonObject { ["type"] = type, ["execution_id"] = executionId, ["thread_key"] = threadKey };
        foreach (var (name, value) in more)
            json[name] = value;
        return new NewEvent(kind, json.ToJsonString());
    }
}
