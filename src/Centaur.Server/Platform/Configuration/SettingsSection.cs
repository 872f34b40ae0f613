using System.Globalization;
using System.Net;
using Centaur.Protocol.Host;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Centaur.Server.Platform.Configuration;

/// <summary>
/// One mapping of the configuration file. Each accessor names a key, its default and its range, and reports what does not fit instead of throwing, so that
/// the operator sees every error at once. A variable, where one is named, wins over the file.
/// </summary>
public sealed class SettingsSection
{
    readonly Settings owner;
    readonly string path;
    readonly YamlMappingNode? node;
    readonly bool probe;
    readonly HashSet<string> known = new(StringComparer.Ordinal);
    readonly Dictionary<string, SettingsSection> children = new(StringComparer.Ordinal);

    internal SettingsSection(Settings owner, string path, YamlMappingNode? node, bool probe = false)
    {
        (this.owner, this.path, this.node, this.probe) = (owner, path, node, probe);
        owner.Know(this);
    }

    /// <summary>Whether the operator wrote anything here.</summary>
    public bool IsGiven => node is { Children.Count: > 0 };

    public SettingsSection Section(string key)
    {
        if (children.TryGetValue(key, out var existing))
            return existing;
        known.Add(key);
        var child = Child(key);
        if (child is not (null or YamlMappingNode or YamlScalarNode { Value: null or "" }))
            Report(child.Start, key, "must be a mapping of keys");
        return children[key] = new SettingsSection(owner, Full(key), child as YamlMappingNode, probe);
    }

    public string? OptionalText(string key, string? variable = null) => Scalar(key, variable)?.Value;

    public string Text(string key, string fallback, string? variable = null) => Scalar(key, variable)?.Value ?? fallback;

    /// <summary>One of a few words.</summary>
    public string Choice(string key, string fallback, IReadOnlyList<string> choices, string? variable = null)
    {
        if (Scalar(key, variable) is not { } found)
            return fallback;
        if (choices.Contains(found.Value))
            return found.Value;
        var meant = NearestName.Near(found.Value, choices);
        Report(found.At, key, $"\"{found.Value}\" is not one of {string.Join(", ", choices)}{(meant is null ? "" : $". Did you mean {meant}?")}");
        return fallback;
    }

    public bool Flag(string key, bool fallback, string? variable = null)
    {
        if (Scalar(key, variable) is not { } found)
            return fallback;
        if (found.Value is "true" or "false")
            return found.Value == "true";
        Report(found.At, key, $"\"{found.Value}\" must be true or false");
        return fallback;
    }

    public int Number(string key, int fallback, int least, int most, string? variable = null) =>
        (int)Decimal(key, fallback, least, most, variable, whole: true);

    public double Decimal(string key, double fallback, double least, double most, string? variable = null, bool whole = false)
    {
        if (Scalar(key, variable) is not { } found)
            return fallback;
        if (double.TryParse(found.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most && (!whole || value == Math.Floor(value)))
            return value;
        Report(found.At, key, $"\"{found.Value}\" must be a {(whole ? "whole " : "")}number from {least} to {most}");
        return fallback;
    }

    /// <summary>A size such as <c>4GiB</c>, <c>512MiB</c> or a number of bytes.</summary>
    public long Bytes(string key, long fallback, long least)
    {
        if (Scalar(key, null) is not { } found)
            return fallback;
        if (ByteSize.Parse(found.Value) is { } bytes && bytes >= least)
            return bytes;
        Report(found.At, key, $"\"{found.Value}\" must be a size of at least {ByteSize.Text(least)}, such as 512MiB or 4GiB");
        return fallback;
    }

    /// <summary>An address and a port; null is <c>off</c>, where that is allowed.</summary>
    public IPEndPoint? EndPoint(string key, string fallback, bool mayBeOff)
    {
        var found = Scalar(key, null);
        var text = found?.Value ?? fallback;
        if (text == "off" && mayBeOff)
            return null;
        if (IPEndPoint.TryParse(text, out var endPoint) && text.Contains(':', StringComparison.Ordinal))
            return endPoint;
        Report(found?.At, key, $"\"{text}\" must be an address and a port, such as {fallback}{(mayBeOff ? ", or off" : "")}");
        return IPEndPoint.Parse(fallback);
    }

    /// <summary>A list of words.</summary>
    public IReadOnlyList<string> Texts(string key) => Items(key, (section, _) => Fail(section), (text, _) => text).OfType<string>().ToList();

    public IReadOnlyList<int> Numbers(string key, int least, int most) =>
        Texts(key).Select(text =>
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                return value;
            Report(Child(key)?.Start, key, $"\"{text}\" must be a whole number from {least} to {most}");
            return least;
        }).ToList();

    /// <summary>A list whose items are mappings, or, where <paramref name="scalar"/> is given, words. <paramref name="mapping"/> also runs once on an empty section, so that its keys are known.</summary>
    public IReadOnlyList<T> Items<T>(string key, Func<SettingsSection, int, T> mapping, Func<string, int, T>? scalar = null)
    {
        known.Add(key);
        owner.KnowKey(Full(key));
        mapping(new SettingsSection(owner, Full(key) + "[]", null, probe: true), 0);
        var items = new List<T>();
        var given = Child(key);
        if (given is not (null or YamlSequenceNode or YamlScalarNode { Value: null or "" }))
            Report(given.Start, key, "must be a list, such as [a, b]");
        foreach (var item in (given as YamlSequenceNode)?.Children ?? Enumerable.Empty<YamlNode>())
        {
            if (item is YamlMappingNode child)
                items.Add(mapping(new SettingsSection(owner, Full(key) + "[]", child), items.Count));
            else if (item is YamlScalarNode { Value: { Length: > 0 } text } && scalar is not null)
                items.Add(scalar(text, items.Count));
            else
                Report(item.Start, key, scalar is null ? "each item must be a mapping of keys" : "each item must be a word or a mapping of keys");
        }

        return items;
    }

    /// <summary>A mapping whose keys are names of the operator's own, each with a word.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Words(string key)
    {
        known.Add(key);
        owner.KnowKey(Full(key));
        var words = new List<KeyValuePair<string, string>>();
        var given = Child(key);
        if (given is not (null or YamlMappingNode or YamlScalarNode { Value: null or "" }))
            Report(given.Start, key, "must be a mapping of names to words");
        foreach (var (name, value) in (given as YamlMappingNode)?.Children ?? Enumerable.Empty<KeyValuePair<YamlNode, YamlNode>>())
        {
            if (name is YamlScalarNode { Value: { Length: > 0 } text } && value is YamlScalarNode { Value: { Length: > 0 } word })
                words.Add(new KeyValuePair<string, string>(text, word));
            else
                Report(name.Start, key, "must have a word for each name");
        }

        return words;
    }

    /// <summary>Reports what is wrong with this mapping as a whole.</summary>
    public void Report(string message)
    {
        if (!probe)
            owner.Report(node?.Start, $"{path}: {message}.");
    }

    /// <summary>A text that must be there.</summary>
    public string Required(string key)
    {
        if (Scalar(key, null) is { } found)
            return found.Value;
        Report(node?.Start, key, "is missing");
        return "";
    }

    /// <summary>Reports that the value of a key does not fit, and what would.</summary>
    public void Report(string key, string message) => Report(Child(key)?.Start ?? node?.Start, key, message);

    internal void ReportUnknown()
    {
        foreach (var name in node?.Children.Keys ?? Enumerable.Empty<YamlNode>())
        {
            if (name is not YamlScalarNode { Value: { } key } || known.Contains(key))
                continue;
            var meant = NearestName.Near(key, known.Order(StringComparer.Ordinal));
            owner.Report(name.Start, $"{Full(key)} is not known. {(meant is null ? $"Known here: {string.Join(", ", known.Order(StringComparer.Ordinal))}." : $"Did you mean {Full(meant)}?")}");
        }
    }

    static string? Fail(SettingsSection section)
    {
        if (!section.probe)
            section.owner.Report(section.node?.Start, $"{section.path} must be a word, not a mapping");
        return null;
    }

    (string Value, Mark? At)? Scalar(string key, string? variable)
    {
        known.Add(key);
        owner.KnowKey(Full(key));
        if (variable is not null && owner.Variable(variable) is { } fromEnvironment)
            return (fromEnvironment, null);
        switch (Child(key))
        {
            case YamlScalarNode { Value: { Length: > 0 } value } scalar:
                return (value, scalar.Start);
            case null or YamlScalarNode:
                return null;
            case var other:
                Report(other.Start, key, "must be a single value");
                return null;
        }
    }

    void Report(Mark? at, string key, string message)
    {
        if (!probe)
            owner.Report(at, $"{Full(key)} {message}.".Replace("?.", "?", StringComparison.Ordinal));
    }

    YamlNode? Child(string key) => node?.Children.TryGetValue(new YamlScalarNode(key), out var child) == true ? child : null;

    string Full(string key) => path.Length == 0 ? key : $"{path}.{key}";
}
