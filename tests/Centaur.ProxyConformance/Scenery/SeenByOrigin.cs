namespace Centaur.ProxyConformance.Scenery;

/// <summary>A request as an origin saw it. Its body is there once it has come.</summary>
sealed class SeenByOrigin(string method, string target, string protocol, IReadOnlyList<KeyValuePair<string, string>> headers)
{
    public string Method => method;

    public string Target => target;

    public string Protocol => protocol;

    public IReadOnlyList<KeyValuePair<string, string>> Headers => headers;

    public string Body { get; set; } = "";

    public string? Header(string name)
    {
        var values = headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).ToList();
        return values.Count == 0 ? null : string.Join(", ", values);
    }

    public override string ToString() => $"{method} {target} {protocol}\n{string.Join('\n', headers.Select(header => $"{header.Key}: {header.Value}"))}\n\n{(Body.Length > 2000 ? $"{Body.Length} bytes" : Body)}";
}
