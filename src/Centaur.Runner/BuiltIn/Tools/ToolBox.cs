using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Runner.BuiltIn.ModelApis;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>The tools, how they are declared, and what a model is told that calls one wrongly.</summary>
internal sealed class ToolBox
{
    readonly IReadOnlyList<IAgentTool> tools;

    public ToolBox(string workspace)
    {
        var paths = new WorkspacePaths(workspace);
        tools = [new ShellTool(workspace, TimeProvider.System), new ReadFileTool(paths), new WriteFileTool(paths), new EditFileTool(paths), new ListFilesTool(paths)];
        Declarations = new JsonArray([.. tools.Select(Declaration)]);
    }

    public IEnumerable<string> Names => tools.Select(tool => tool.Name);

    public JsonArray Declarations { get; }

    public async Task<ToolResult> Run(ToolUse call, CancellationToken cancellationToken)
    {
        if (tools.FirstOrDefault(tool => tool.Name == call.Name) is not { } tool)
            return ToolResult.Error($"There is no tool '{call.Name}'. There are: {string.Join(", ", Names)}.");
        if (call.Input.ContainsKey(AnswerBlocks.Unreadable))
            return ToolResult.Error("The arguments were not a JSON object.");
        foreach (var parameter in tool.Parameters.Where(parameter => parameter.Required))
        {
            if (call.Input[parameter.Name] is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
                return ToolResult.Error($"'{parameter.Name}' is missing, or is no string.");
        }

        try
        {
            return await tool.Run(new ToolInput(call.Input), cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return ToolResult.Error(FileFailures.Words(failure));
        }
    }

    static JsonNode Declaration(IAgentTool tool)
    {
        var properties = new JsonObject();
        foreach (var parameter in tool.Parameters)
            properties[parameter.Name] = new JsonObject { ["type"] = parameter.Type, ["description"] = parameter.Description };
        return new JsonObject
        {
            ["name"] = tool.Name,
            ["description"] = tool.Description,
            ["input_schema"] = new JsonObject
            {
                ["type"] = "object",
                ["properties"] = properties,
                ["required"] = new JsonArray([.. tool.Parameters.Where(parameter => parameter.Required).Select(parameter => (JsonNode)parameter.Name)]),
            },
        };
    }
}
