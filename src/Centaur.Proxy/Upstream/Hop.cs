namespace Centaur.Proxy.Upstream;

/// <summary>What a connection is for, which decides by which way it is made.</summary>
enum Hop
{
    /// <summary>HTTP without TLS.</summary>
    Http,

    /// <summary>TLS, ours or the client's own.</summary>
    Https,

    /// <summary>A database: dialled without a chained proxy.</summary>
    Database,
}
