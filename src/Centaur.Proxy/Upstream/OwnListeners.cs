using System.Net;
using System.Net.NetworkInformation;

namespace Centaur.Proxy.Upstream;

/// <summary>Where this program itself listens: who is behind it must not get to its management, nor in circles, by any name or map.</summary>
sealed class OwnListeners
{
    volatile IPEndPoint[] endpoints = [];

    public void Add(IPEndPoint endpoint) => endpoints = [.. endpoints, endpoint];

    public bool Include(IPAddress address, int port)
    {
        var meant = AddressGuard.Meant(address);
        foreach (var endpoint in endpoints)
        {
            if (endpoint.Port == port && (AddressGuard.Meant(endpoint.Address).Equals(meant) || (IsEverywhere(endpoint.Address) && IsHere(meant))))
                return true;
        }

        return false;
    }

    static bool IsEverywhere(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>The kernel takes 0.0.0.0 and [::] for this machine too.</summary>
    static bool IsHere(IPAddress address) =>
        IPAddress.IsLoopback(address) || IsEverywhere(address)
        || NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Any(local => local.Address.Equals(address));
}
