using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis;

/// <summary>Reads a tool's parameters from its JSON schema.</summary>
internal static class Declarations
{
    public static IReadOnlyDictionary<string, string> Parameters(JsonNode? schema)
    {
        var parameters = new Dictionary<string, string>();
        foreach (var (name, property) in (schema as JsonObject)?["properties"] as JsonObject ?? [])
            parameters[name] = property.Text("type") ?? "any";
        return parameters;
    }

    public static DeclaredTool Function(string name, string? group, JsonNode? schema) => new(name, group, FreeForm: false, Parameters(schema));
}
