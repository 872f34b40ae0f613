using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Centaur.Proxy.Configuration;

/// <summary>
/// One mapping of the file, read key by key. Whatever is not read in the end is unknown, and said with its line and the nearest known key. Works on the
/// document model alone: no reflection, so that the program can be trimmed.
/// </summary>
sealed class YamlMap(string where, YamlMappingNode node, ConfigNotes notes)
{
    readonly HashSet<string> known = new(StringComparer.Ordinal);

    public string Where => where;

    public YamlMap? Map(string key)
    {
        if (Find(key) is not { } found || found is YamlScalarNode { Value: null or "" or "~" or "null" })
            return null;
        if (found is YamlMappingNode mapping)
            return new YamlMap(Join(key), mapping, notes);
        Wrong(found, key, "must hold keys");
        return null;
    }

    public IReadOnlyList<YamlMap> Maps(string key)
    {
        var maps = new List<YamlMap>();
        foreach (var (item, index) in Items(key).Select((item, index) => (item, index)))
        {
            if (item is YamlMappingNode mapping)
                maps.Add(new YamlMap($"{Join(key)}[{index}]", mapping, notes));
            else
                Wrong(item, $"{key}[{index}]", "must hold keys");
        }

        return maps;
    }

    public IReadOnlyList<string> Texts(string key)
    {
        var texts = new List<string>();
        foreach (var item in Items(key))
        {
            if (item is YamlScalarNode { Value: { } text })
                texts.Add(text);
            else
                Wrong(item, key, "must be a list of texts");
        }

        return texts;
    }

    /// <summary>Whether a key stands here that may.</summary>
    public bool Offers(string key)
    {
        known.Add(key);
        return Has(key);
    }

    public bool Has(string key) => node.Children.ContainsKey(new YamlScalarNode(key));

    /// <summary>The keys that stand here, for mappings whose keys are names.</summary>
    public IReadOnlyList<string> Keys => [.. node.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "")];

    public string? Text(string key)
    {
        var found = Find(key);
        if (found is null or YamlScalarNode)
            return (found as YamlScalarNode)?.Value;
        Wrong(found, key, "must be a text");
        return null;
    }

    public string Required(string key)
    {
        if (Text(key) is { Length: > 0 } text)
            return text;
        notes.Errors.Add($"{notes.Place(node)}: {where} needs \"{key}\"");
        return "";
    }

    /// <summary>One word of a list; said with all of them where it is another.</summary>
    public string OneOf(string key, IReadOnlyList<string> words, string? otherwise = null)
    {
        var text = otherwise is null ? Required(key) : Text(key) ?? otherwise;
        if (text.Length > 0 && !words.Contains(text))
            Error($"\"{key}\" must be {string.Join(", ", words.SkipLast(1))} or {words[^1]}, not \"{text}\"");
        return text;
    }

    public bool Flag(string key)
    {
        switch (Text(key))
        {
            case null or "false" or "False" or "no":
                return false;
            case "true" or "True" or "yes":
                return true;
            default:
                Wrong(Find(key)!, key, "must be true or false");
                return false;
        }
    }

    public int? Number(string key)
    {
        if (Text(key) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        Wrong(Find(key)!, key, "must be a number");
        return null;
    }

    /// <summary>A count of bytes.</summary>
    public long? Size(string key)
    {
        if (Text(key) is not { } text)
            return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            return size;
        Wrong(Find(key)!, key, "must be a number of bytes");
        return null;
    }

    /// <summary>A time as Go writes it; null where the key is missing or wrong.</summary>
    public TimeSpan? Duration(string key)
    {
        if (Text(key) is not { } text)
            return null;
        if (GoDuration.TryParse(text, out var duration))
            return duration;
        Wrong(Find(key)!, key, $"\"{text}\" is not a duration such as 30s, 5m or 1h");
        return null;
    }

    /// <summary>A key that iron-proxy knows and that has no effect here, with the reason.</summary>
    public void NotNeeded(string key, string reason)
    {
        if (Find(key) is { } found)
            notes.Notices.Add($"{notes.Place(found)}: {Join(key)} has no effect here: {reason}");
    }

    public void Refuse(string key, string reason)
    {
        if (Find(key) is { } found)
            Wrong(found, key, reason);
    }

    public void Error(string message) => notes.Errors.Add($"{notes.Place(node)}: {where}: {message}");

    public void Notice(string message) => notes.Notices.Add($"{notes.Place(node)}: {where}: {message}");

    /// <summary>Says every key that nobody asked for.</summary>
    public void Done()
    {
        foreach (var key in node.Children.Keys.OfType<YamlScalarNode>().Where(key => !known.Contains(key.Value ?? "")))
        {
            var nearest = Nearest.Of(key.Value ?? "", known);
            notes.Errors.Add($"{notes.Place(key)}: {where} has no key \"{key.Value}\"" + (nearest is null ? "" : $"; did you mean \"{nearest}\"?"));
        }
    }

    IEnumerable<YamlNode> Items(string key)
    {
        switch (Find(key))
        {
            case null:
                return [];
            case YamlSequenceNode list:
                return list.Children;
            case var other:
                Wrong(other, key, "must be a list");
                return [];
        }
    }

    YamlNode? Find(string key)
    {
        known.Add(key);
        return node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? found : null;
    }

    void Wrong(YamlNode at, string key, string problem) => notes.Errors.Add($"{notes.Place(at)}: {Join(key)} {problem}");

    string Join(string key) => where.Length == 0 || where == TopLevel ? key : $"{where}.{key}";

    public const string TopLevel = "the file";
}
