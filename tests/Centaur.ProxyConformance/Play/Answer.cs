namespace Centaur.ProxyConformance.Play;

/// <summary>What a client heard.</summary>
sealed class Answer
{
    public int Status { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>> Trailers { get; init; } = [];

    /// <summary>One character a byte.</summary>
    public string Body { get; init; } = "";

    /// <summary>All of it, framing and refused CONNECTs too.</summary>
    public string Raw { get; init; } = "";

    /// <summary>False where it broke off before its end.</summary>
    public bool Whole { get; init; } = true;

    /// <summary>The TLS handshake with the client failed.</summary>
    public bool HandshakeFailed { get; init; }

    /// <summary>Of SOCKS5.</summary>
    public int Reply { get; init; }

    /// <summary>Names in the certificate that was shown.</summary>
    public IReadOnlyList<string> Certificate { get; init; } = [];

    public IReadOnlyList<string> Frames { get; init; } = [];

    /// <summary>The database's; empty for none.</summary>
    public string Sqlstate { get; init; } = "";

    public static string? Find(IReadOnlyList<KeyValuePair<string, string>> headers, string name)
    {
        var values = headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).ToList();
        return values.Count == 0 ? null : string.Join(", ", values);
    }

    public override string ToString() => $"status {Status}, whole {Whole}, handshake failed {HandshakeFailed}, sqlstate \"{Sqlstate}\"\n{(Raw.Length > 4000 ? Raw[..4000] : Raw)}";
}
