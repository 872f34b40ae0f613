namespace Centaur.DemoModel.Script;

/// <summary>What the script needs to know of a request, whichever API it came by.</summary>
internal sealed record ModelRequest
{
    public required string Model { get; init; }

    public required bool Stream { get; init; }

    /// <summary>The last text that a person wrote; what clients wrap in tags of their own is left out.</summary>
    public required string UserText { get; init; }

    /// <summary>What tools answered since that text, oldest first.</summary>
    public required IReadOnlyList<string> ToolOutputs { get; init; }

    public required IReadOnlyList<DeclaredTool> Tools { get; init; }

    /// <summary>An estimate, four bytes a token.</summary>
    public required int InputTokens { get; init; }

    /// <summary>The chat API sends usage in a stream only to who asks for it.</summary>
    public bool StreamUsage { get; init; } = true;
}

/// <param name="Name">As the client declared it.</param>
/// <param name="Namespace">The group that holds it, where the client declared one.</param>
/// <param name="FreeForm">True for a tool whose input is text instead of JSON.</param>
/// <param name="Parameters">Names of its parameters, each with its JSON type.</param>
internal sealed record DeclaredTool(string Name, string? Namespace, bool FreeForm, IReadOnlyDictionary<string, string> Parameters);
