using System.Net;
using System.Net.Sockets;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// Tells a public address from one that nobody outside may be led to: loopback, private, link-local, metadata services, and every IPv6 form that carries one of
/// them inside. What an operator may except is decided elsewhere; nothing excepts what <see cref="IsNever"/> names.
/// </summary>
static class AddressGuard
{
    /// <summary>This machine, its link, and the addresses at which clouds hand out credentials; and what no host has.</summary>
    static readonly IPNetwork[] Never = Networks(
        "0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "fd00:ec2::/32", "fd20:ce::/32", "fe80::/10", "ff00::/8");

    static readonly IPNetwork[] Private = Networks(
        "10.0.0.0/8", "172.16.0.0/12", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fec0::/10");

    static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool IsPublic(IPAddress address)
    {
        var meant = Meant(address);
        return !IsNever(meant) && !Contains(Private, meant);
    }

    /// <summary>True for what is not dialled whatever an operator writes, but for the exact addresses of <c>map</c>.</summary>
    public static bool IsNever(IPAddress address)
    {
        var meant = Meant(address);
        // An address of one link alone.
        return meant.AddressFamily == AddressFamily.InterNetworkV6 && meant.ScopeId != 0 || Contains(Never, meant);
    }

    /// <summary>The address itself, or the IPv4 address that it stands for.</summary>
    public static IPAddress Meant(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId == 0 ? Embedded(address) ?? address : address;

    static bool Contains(IPNetwork[] networks, IPAddress address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
                return true;
        }

        return false;
    }

    static IPNetwork[] Networks(params string[] networks) => [.. networks.Select(network => IPNetwork.Parse(network))];

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
