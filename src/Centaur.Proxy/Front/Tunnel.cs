using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>Where a connection leads. Every request inside must be for exactly this host, and port where the client named one when it came.</summary>
sealed record Tunnel
{
    /// <summary>Null where the connection says nothing, and each request names its host: HTTP of a client that was led here.</summary>
    public Authority? Target { get; set; }

    /// <summary>True once the client speaks TLS inside; false for cleartext HTTP.</summary>
    public bool Secure { get; set; }

    /// <summary>The client was led here and asked for no tunnel: it may name another port than the usual one, which a rule must allow.</summary>
    public bool Direct { get; init; }

    public bool LeadsTo(Authority asked) => Target is not { } target || (target.Host == asked.Host && (Direct || target.Port == asked.Port));
}
