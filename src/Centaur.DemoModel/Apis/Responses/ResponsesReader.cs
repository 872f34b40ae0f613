using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Responses;

/// <summary>Reads a Responses request that has no faults.</summary>
internal static class ResponsesReader
{
    public static ModelRequest Read(JsonObject body, int inputTokens)
    {
        var text = body["input"].Text() ?? "";
        var outputs = new List<string>();
        var tools = new List<DeclaredTool>();
        AddTools(tools, body["tools"], null);

        foreach (var item in body["input"].Items())
        {
            switch (item.Text("type"))
            {
                case "function_call_output" or "custom_tool_call_output" when item.Text("call_id") is not null:
                    outputs.Add(string.Concat(item!["output"].Texts()));
                    break;
                case "additional_tools":
                    AddTools(tools, item!["tools"], null);
                    break;
                case null or "message" when item.Text("role") == "user" && UserText.Join(item!["content"].Texts()) is { Length: > 0 } said:
                    text = said;
                    outputs.Clear();
                    break;
            }
        }

        return new ModelRequest
        {
            Model = body["model"]!.GetValue<string>(),
            Stream = body["stream"].True(),
            UserText = text,
            ToolOutputs = outputs,
            Tools = tools,
            InputTokens = inputTokens,
        };
    }

    static void AddTools(List<DeclaredTool> tools, JsonNode? declared, string? group)
    {
        foreach (var tool in declared.Items())
        {
            switch (tool.Text("type"))
            {
                case "function":
                    tools.Add(Declarations.Function(tool.Text("name")!, group, tool!["parameters"]));
                    break;
                case "custom":
                    tools.Add(new DeclaredTool(tool.Text("name")!, group, FreeForm: true, new Dictionary<string, string>()));
                    break;
                case "namespace":
                    AddTools(tools, tool!["tools"], tool.Text("name"));
                    break;
            }
        }
    }
}
