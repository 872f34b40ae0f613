namespace Centaur.ProxyConformance.Data;

/// <summary>
/// What the origin does with each request. In texts <c>${header:Name}</c>, <c>${target}</c> and <c>${body}</c> are what it was sent, and <c>${base64:Name}</c>,
/// <c>${percent:Name}</c> and <c>${json:Name}</c> are forms of a header.
/// </summary>
sealed record OriginScript
{
    public int Status { get; set; } = 200;

    public Dictionary<string, string> Headers { get; set; } = [];

    public string Body { get; set; } = "ok";

    /// <summary>The body so many times over.</summary>
    public int Times { get; set; } = 1;

    /// <summary>The body in these pieces instead, each flushed.</summary>
    public List<string> Pieces { get; set; } = [];

    public Dictionary<string, string> Trailers { get; set; } = [];

    /// <summary><c>gzip</c>, <c>br</c> or <c>deflate</c>: whatever the client accepts.</summary>
    public string? Packed { get; set; }

    /// <summary>Headers that it wants to see, or it answers 401.</summary>
    public Dictionary<string, string> Wants { get; set; } = [];

    /// <summary>Breaks off after the pieces.</summary>
    public bool Aborts { get; set; }

    /// <summary>Answers with its length.</summary>
    public bool Length { get; set; }

    /// <summary>Bytes that the host <c>raw.vendor.test</c> answers with, whatever it is sent.</summary>
    public string? Raw { get; set; }

    /// <summary>Becomes a WebSocket that sends back what it hears.</summary>
    public bool Socket { get; set; }
}
