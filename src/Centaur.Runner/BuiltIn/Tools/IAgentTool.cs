using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Something that the model may do.</summary>
internal interface IAgentTool
{
    string Name { get; }

    string Description { get; }

    /// <summary>The parameters, in the order in which they are declared.</summary>
    IReadOnlyList<ToolParameter> Parameters { get; }

    Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken);
}

/// <param name="Name">As the model writes it.</param>
/// <param name="Type">A JSON schema type.</param>
/// <param name="Description">For the model.</param>
/// <param name="Required">Required parameters are strings.</param>
internal sealed record ToolParameter(string Name, string Type, string Description, bool Required = true);

/// <param name="Text">What the model reads.</param>
/// <param name="IsError">The tool could not do what it was asked.</param>
internal sealed record ToolResult(string Text, bool IsError = false)
{
    public static ToolResult Error(string text) => new(text, IsError: true);
}
