using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>The conversation in the shape of Chat Completions: tool results are messages of their own, tool calls a member of the assistant's.</summary>
internal static class ChatMessages
{
    public static JsonArray Tools(JsonArray declarations) => new([.. declarations.OfType<JsonObject>().Select(Tool)]);

    public static JsonArray Of(ModelQuestion question)
    {
        var messages = new JsonArray { (JsonNode)new JsonObject { ["role"] = "system", ["content"] = question.System } };
        foreach (var message in question.Conversation.Messages.OfType<JsonObject>())
        {
            var blocks = ((JsonArray)message["content"]!).OfType<JsonObject>().ToList();
            if (message.Text("role") == "assistant")
                messages.Add((JsonNode)Assistant(blocks));
            else
                AddUser(messages, blocks);
        }

        return messages;
    }

    static JsonNode Tool(JsonObject declaration) => new JsonObject
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = declaration.Text("name"),
            ["description"] = declaration.Text("description"),
            ["parameters"] = declaration["input_schema"]!.DeepClone(),
        },
    };

    static JsonObject Assistant(List<JsonObject> blocks)
    {
        var text = string.Concat(blocks.Select(block => block.Text("text")));
        var calls = new JsonArray([.. blocks.Where(block => block.Text("type") == "tool_use").Select(Call)]);
        var message = new JsonObject { ["role"] = "assistant", ["content"] = text.Length > 0 ? text : null };
        if (calls.Count > 0)
            message["tool_calls"] = calls;
        return message;
    }

    static JsonNode Call(JsonObject block) => new JsonObject
    {
        ["id"] = block.Text("id"),
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = block.Text("name"), ["arguments"] = block["input"]!.ToJsonString() },
    };

    static void AddUser(JsonArray messages, List<JsonObject> blocks)
    {
        foreach (var result in blocks.Where(block => block.Text("type") == "tool_result"))
            messages.Add((JsonNode)new JsonObject { ["role"] = "tool", ["tool_call_id"] = result.Text("tool_use_id"), ["content"] = result.Text("content") });
        var text = string.Join("\n\n", blocks.Select(block => block.Text("text")).OfType<string>());
        if (text.Length > 0)
            messages.Add((JsonNode)new JsonObject { ["role"] = "user", ["content"] = text });
    }
}
