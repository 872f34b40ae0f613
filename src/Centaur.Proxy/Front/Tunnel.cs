using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>Where a CONNECT led. Every request inside must be for exactly this host and port.</summary>
sealed record Tunnel(Authority Target)
{
    /// <summary>True once the client speaks TLS inside; false for cleartext HTTP.</summary>
    public bool Secure { get; set; }
}
