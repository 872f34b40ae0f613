using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>Holds the name that a TLS client asks for against where its connection leads.</summary>
static class ServerNames
{
    /// <summary>Where the handshake leads; null where its name says something else than the tunnel, or nothing.</summary>
    public static Authority? Target(string? name, Tunnel tunnel, int port)
    {
        // A client of an address has no name to send (RFC 6066, section 3).
        if (string.IsNullOrEmpty(name))
            return tunnel.Target is { IsAddress: true } address ? address : null;
        if (!HostName.TryCanonical(name, out var host, out var isAddress) || isAddress)
            return null;
        if (tunnel.Target is not { } target)
            return new Authority(host, port, isAddress);
        return target.Host == host ? target : null;
    }
}
