using System.Net;
using System.Net.Sockets;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// Tells a public address from one that nobody outside may be led to: loopback, private, link-local, metadata services, and every IPv6 form that carries one of
/// them inside. There is no exception here; the operator's map does not ask.
/// </summary>
static class AddressGuard
{
    static readonly IPNetwork[] Prohibited =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",
            "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(network => IPNetwork.Parse(network)),
    ];

    static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool IsPublic(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            if (address.ScopeId != 0)
                return false;
            if (Embedded(address) is { } inner)
                return IsPublic(inner);
        }

        foreach (var network in Prohibited)
        {
            if (network.Contains(address))
                return false;
        }

        return true;
    }

    /// <summary>The IPv4 address that an IPv6 address stands for, if it is of such a kind.</summary>
    static IPAddress? Embedded(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (Nat64.Contains(address))
            return new IPAddress(bytes[12..]);
        if (SixToFour.Contains(address))
            return new IPAddress(bytes[2..6]);
        return null;
    }
}
