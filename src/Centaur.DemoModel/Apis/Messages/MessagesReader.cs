using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Messages;

/// <summary>Reads a Messages request that has no faults.</summary>
internal static class MessagesReader
{
    public static ModelRequest Read(JsonObject body, int inputTokens)
    {
        var text = "";
        var outputs = new List<string>();
        foreach (var message in body["messages"].Items().Where(message => message.Text("role") == "user"))
        {
            var content = message!["content"];
            outputs.AddRange(content.Items().Where(block => block.Text("type") == "tool_result").Select(block => string.Concat(block!["content"].Texts())));
            if (UserText.Join(content.Texts()) is not { Length: > 0 } said)
                continue;
            text = said;
            outputs.Clear();
        }

        return new ModelRequest
        {
            Model = body["model"]!.GetValue<string>(),
            Stream = body["stream"].True(),
            UserText = text,
            ToolOutputs = outputs,
            Tools = [.. body["tools"].Items().Select(tool => Declarations.Function(tool.Text("name")!, null, tool!["input_schema"]))],
            InputTokens = inputTokens,
        };
    }
}
