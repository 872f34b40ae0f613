using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.ChatCompletions;

/// <summary>Reads a Chat Completions request that has no faults.</summary>
internal static class ChatCompletionsReader
{
    public static ModelRequest Read(JsonObject body, int inputTokens)
    {
        var text = "";
        var outputs = new List<string>();
        foreach (var message in body["messages"].Items())
        {
            switch (message.Text("role"))
            {
                case "tool":
                    outputs.Add(string.Concat(message!["content"].Texts()));
                    break;
                case "user" when UserText.Join(message!["content"].Texts()) is { Length: > 0 } said:
                    text = said;
                    outputs.Clear();
                    break;
            }
        }

        return new ModelRequest
        {
            Model = body["model"]!.GetValue<string>(),
            Stream = body["stream"].True(),
            StreamUsage = (body["stream_options"] as JsonObject)?["include_usage"].True() == true,
            UserText = text,
            ToolOutputs = outputs,
            Tools = [.. body["tools"].Items().Where(tool => tool.Text("type") == "function").Select(tool => tool!["function"])
                .Select(function => Declarations.Function(function.Text("name")!, null, function!["parameters"]))],
            InputTokens = inputTokens,
        };
    }
}
