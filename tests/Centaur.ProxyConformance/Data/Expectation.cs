namespace Centaur.ProxyConformance.Data;

/// <summary>What must come of a step. What is not said here is not looked at, but for this: no secret of the configuration is ever in what the client hears, in the audit or in the log.</summary>
sealed record Expectation
{
    public int? Status { get; set; }

    /// <summary>The proxy's own reason, for a product that gives one.</summary>
    public string? Reason { get; set; }

    /// <summary>Exact, <c>/expression/</c>, or null for a header that is not there.</summary>
    public Dictionary<string, string?> Headers { get; set; } = [];

    public Dictionary<string, string?> Trailers { get; set; } = [];

    public string? Body { get; set; }

    public int? BodySize { get; set; }

    /// <summary>In the answer, head and body.</summary>
    public List<string> Contains { get; set; } = [];

    public List<string> Lacks { get; set; } = [];

    /// <summary><c>whole</c>, or <c>broken</c> for one that must not look whole; <c>none</c> where the connection ends without a byte.</summary>
    public string? Answer { get; set; }

    /// <summary><c>refused</c>: the handshake with the client fails.</summary>
    public string? Handshake { get; set; }

    /// <summary>Names in the certificate that the client is shown.</summary>
    public List<string>? Certificate { get; set; }

    /// <summary>What SOCKS5 replies; 255 where it takes no method.</summary>
    public int? Reply { get; set; }

    /// <summary>How often a request of this client is answered so.</summary>
    public Dictionary<int, int> Statuses { get; set; } = [];

    /// <summary>All that origins saw in this step, in its order; not looked at where it is not said.</summary>
    public List<Sighting>? Upstream { get; set; }

    /// <summary>How many tokens were minted in this step.</summary>
    public int? Mints { get; set; }

    /// <summary>Records that the step leaves in the audit, in any order: the keys that are named.</summary>
    public List<Dictionary<string, string>> Audit { get; set; } = [];

    /// <summary>What came back in frames.</summary>
    public List<string> Frames { get; set; } = [];

    /// <summary>The error of the database or of the proxy before it; empty for none.</summary>
    public string? Sqlstate { get; set; }

    /// <summary>False where the proxy must have refused it, true where the database must have had it.</summary>
    public bool? Relayed { get; set; }

    /// <summary>The program does not start, and says these.</summary>
    public List<string> Refuses { get; set; } = [];
}
