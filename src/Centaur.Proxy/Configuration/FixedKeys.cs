using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>The keys that count when the program starts and not again, as they are written: what a reload cannot put in force, and must not pass over.</summary>
static class FixedKeys
{
    static readonly string[] Sections = ["proxy", "tls", "metrics", "management", "audit", "log"];

    public static IReadOnlyDictionary<string, string> Of(YamlMappingNode root)
    {
        var keys = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var section in Sections)
        {
            if (Find(root, section) is { } found)
                Add(keys, section, found);
        }

        if (Find(root, "postgres") is YamlMappingNode postgres && Find(postgres, "listen") is { } listen)
            Add(keys, "postgres.listen", listen);
        return keys;
    }

    /// <summary>Names of keys that differ; what they hold is nobody's business.</summary>
    public static IReadOnlyList<string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        [.. before.Keys.Union(now.Keys).Where(key => before.GetValueOrDefault(key) != now.GetValueOrDefault(key)).Order(StringComparer.Ordinal)];

    static void Add(SortedDictionary<string, string> keys, string path, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                foreach (var (key, value) in mapping.Children)
                    Add(keys, $"{path}.{key}", value);
                break;
            case YamlSequenceNode list:
                keys[path] = string.Join('\n', list.Children.Select(item => item.ToString()));
                break;
            default:
                keys[path] = (node as YamlScalarNode)?.Value ?? "";
                break;
        }
    }

    static YamlNode? Find(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? found : null;
}
