using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Centaur.ProxyConformance.Targets;

/// <summary>A configuration of the suite as <c>centaur-proxy</c> reads it: the same file, with listeners, authority, audit and map put in where it says nothing of them.</summary>
static class CentaurConfig
{
    public static string Render(string file, SuiteConfig config, Scene scene)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(scene.Fill(file)));
        }
        catch (Exception fault) when (fault is YamlException or InvalidOperationException or ArgumentException)
        {
            // That is the case's point.
            return file;
        }

        if (stream.Documents is not [{ RootNode: YamlMappingNode root }])
            return file;
        Default(Section(root, "proxy"), "tunnel_listen", "127.0.0.1:0");
        if (Child(root, "tls") is not YamlMappingNode { Children.Count: > 0 })
        {
            Default(Section(root, "tls"), "ca_cert", "ca.pem");
            Default(Section(root, "tls"), "ca_key", "ca.pem");
        }

        Default(Section(root, "audit"), "file", "audit.ndjson");
        if (!root.Children.ContainsKey("map"))
        {
            var secrets = config.Spends.Count > 0 ? config.Spends : [.. Sources(Child(root, "transforms")).Distinct().Except(config.Public)];
            root.Add("map", new YamlSequenceNode(scene.Places.Select(place => Entry(place, secrets))));
        }

        using var text = new StringWriter();
        stream.Save(text, assignAnchors: false);
        return text.ToString();
    }

    public static string AuthorityFile(Place place) => $"{place.Host}-{place.Port}.pem";

    static YamlMappingNode Entry(Place place, IReadOnlyList<string> secrets)
    {
        var entry = new YamlMappingNode("host", place.Host, "port", $"{place.Port}", "address", "127.0.0.1", "target_port", $"{place.TargetPort}");
        if (place.AuthorityPem is not null)
            entry.Add("ca_cert", AuthorityFile(place));
        if (place.Plaintext)
            entry.Add("plaintext", "true");
        if (place.Secrets && place.Port is 443 or 80 && secrets.Count > 0)
            entry.Add("secrets", new YamlSequenceNode(secrets.Select(name => new YamlScalarNode(name))));
        return entry;
    }

    /// <summary>What the product calls the sources that stand below a node.</summary>
    static IEnumerable<string> Sources(YamlNode? node)
    {
        if (node is YamlSequenceNode list)
            return list.SelectMany(Sources);
        if (node is not YamlMappingNode map)
            return [];
        var name = Text(map, "type") switch
        {
            "env" => Text(map, "var"),
            "file" => Path.GetFileName(Text(map, "path")),
            "vault_kv" => $"{Text(map, "mount")}/{Text(map, "path")}{(Text(map, "json_key") is { } key ? "#" + key : "")}",
            _ => Path.GetFileName(Text(map, "keyfile_path")),
        };
        return name is null ? map.Children.Values.SelectMany(Sources) : [name, .. map.Children.Values.SelectMany(Sources)];
    }

    static string? Text(YamlMappingNode map, string key) => (Child(map, key) as YamlScalarNode)?.Value;

    static YamlNode? Child(YamlMappingNode map, string key) => map.Children.TryGetValue(key, out var found) ? found : null;

    static YamlMappingNode Section(YamlMappingNode root, string key)
    {
        if (Child(root, key) is YamlMappingNode found)
            return found;
        var made = new YamlMappingNode();
        root.Children[key] = made;
        return made;
    }

    static void Default(YamlMappingNode section, string key, string value)
    {
        if (!section.Children.ContainsKey(key))
            section.Add(key, value);
    }
}
