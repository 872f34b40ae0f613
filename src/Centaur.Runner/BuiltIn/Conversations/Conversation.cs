using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Conversations;

/// <summary>
/// What was said, in the shape of the Messages API (roles that alternate, content in blocks), which the other API's shape is made from.
/// Always valid to send: a tool call without a result is closed before anything else is added.
/// </summary>
internal sealed class Conversation(string id, JsonArray messages)
{
    public string Id => id;

    public JsonArray Messages => messages;

    /// <summary>A turn that was interrupted, failed or died left the user's words without an answer; the model is told, and does not answer them now.</summary>
    public void BeginTurn(JsonElement message)
    {
        CloseOpenCalls("The last attempt ended before this was done.");
        if (messages.Count > 0 && messages[^1]!["role"]!.GetValue<string>() == "user")
            Append("assistant", new JsonObject { ["type"] = "text", ["text"] = "[This turn ended before it was answered.]" });
        AddUser(message);
    }

    public void AddUser(JsonElement message)
    {
        foreach (var block in UserContent.Of(message))
            Append("user", block);
    }

    public void AddAssistant(JsonArray content)
    {
        foreach (var block in content)
            Append("assistant", block!.DeepClone());
    }

    public void AddToolResult(string toolUse, string text, bool isError)
    {
        var block = new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = toolUse, ["content"] = text };
        if (isError)
            block["is_error"] = true;
        Append("user", block);
    }

    public void CloseOpenCalls(string reason)
    {
        foreach (var toolUse in OpenCalls())
            AddToolResult(toolUse, reason, isError: true);
    }

    List<string> OpenCalls()
    {
        var open = new List<string>();
        foreach (var block in messages.OfType<JsonObject>().SelectMany(message => (JsonArray)message["content"]!).OfType<JsonObject>())
        {
            if (block["type"]!.GetValue<string>() == "tool_use")
                open.Add(block["id"]!.GetValue<string>());
            else if (block["type"]!.GetValue<string>() == "tool_result")
                open.Remove(block["tool_use_id"]!.GetValue<string>());
        }

        return open;
    }

    void Append(string role, JsonNode block)
    {
        if (messages.Count == 0 || messages[^1]!["role"]!.GetValue<string>() != role)
            messages.Add((JsonNode)new JsonObject { ["role"] = role, ["content"] = new JsonArray() });
        ((JsonArray)messages[^1]!["content"]!).Add(block);
    }
}
