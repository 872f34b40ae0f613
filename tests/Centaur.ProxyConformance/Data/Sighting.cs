namespace Centaur.ProxyConformance.Data;

/// <summary>One request as an origin must have seen it.</summary>
sealed record Sighting
{
    public string? Method { get; set; }

    public string? Target { get; set; }

    /// <summary><c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public string? Protocol { get; set; }

    /// <summary>Exact, <c>/expression/</c>, or null for a header that is not there.</summary>
    public Dictionary<string, string?> Headers { get; set; } = [];

    /// <summary>All the names that it has, in any order and case.</summary>
    public List<string>? Names { get; set; }

    public string? Body { get; set; }

    public int? BodySize { get; set; }
}
