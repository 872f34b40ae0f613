using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>
/// Answers what codex asks. The jail and the proxy are the boundary, so commands and changes are approved; questions to a person get none, because nobody is
/// there; the rest is refused in words. An unanswered request would hang the turn.
/// </summary>
internal static class CodexApprovals
{
    const int MethodNotFound = -32601;

    public static JsonObject Answer(JsonElement id, string method, JsonElement parameters)
    {
        var answer = new JsonObject { ["id"] = JsonNode.Parse(id.GetRawText()) };
        if (Result(method, parameters) is { } result)
            answer["result"] = result;
        else
            answer["error"] = new JsonObject { ["code"] = MethodNotFound, ["message"] = $"Centaur does not answer {method}" };
        return answer;
    }

    static JsonObject? Result(string method, JsonElement parameters) => method switch
    {
        "item/commandExecution/requestApproval" or "item/fileChange/requestApproval" => new JsonObject { ["decision"] = "accept" },
        "execCommandApproval" or "applyPatchApproval" => new JsonObject { ["decision"] = "approved" },
        "item/permissions/requestApproval" => new JsonObject { ["permissions"] = Requested(parameters), ["scope"] = "turn" },
        "item/tool/requestUserInput" => new JsonObject { ["answers"] = new JsonObject() },
        "mcpServer/elicitation/request" => new JsonObject { ["action"] = "decline" },
        _ => null,
    };

    static JsonNode Requested(JsonElement parameters) =>
        parameters.Member("permissions") is { } permissions ? JsonNode.Parse(permissions.GetRawText())! : new JsonObject();
}
