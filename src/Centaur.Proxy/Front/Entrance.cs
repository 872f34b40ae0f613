namespace Centaur.Proxy.Front;

/// <summary>What the clients of a listener know of this proxy.</summary>
enum Entrance
{
    /// <summary>They ask it: by CONNECT, SOCKS5, or a target in absolute form.</summary>
    Tunnel,

    /// <summary>They were led here and speak HTTP, as if to the host that they name.</summary>
    Http,

    /// <summary>They were led here and speak TLS, as if to the host that they name.</summary>
    Https,
}
