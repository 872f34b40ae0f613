using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>What reading a file found: errors stop the start, notices do not.</summary>
sealed class ConfigNotes
{
    public List<string> Errors { get; } = [];

    public List<string> Notices { get; } = [];

    /// <summary>Nodes that stand in no file: the variable that each came from.</summary>
    public Dictionary<YamlNode, string> Variables { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>Where the reader finds what is spoken of.</summary>
    public string Place(YamlNode node) => Variables.TryGetValue(node, out var variable) ? variable : $"line {node.Start.Line}";
}
