using System.Net;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// What is dialled without a chained proxy: names (with all below them; with a dot before, only those below), addresses and networks (compared with the address
/// that is dialled), each with a port where it is meant for that alone, or a star for everything.
/// </summary>
sealed class NoProxyList
{
    readonly List<(string Name, bool OnlyBelow, int? Port)> names = [];
    readonly List<(IPNetwork Network, int? Port)> networks = [];
    bool everything;

    public static NoProxyList Empty { get; } = new();

    public static NoProxyList Parse(string text, out IReadOnlyList<string> wrong)
    {
        var list = new NoProxyList();
        wrong = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(entry => !list.TryAdd(entry))];
        return list;
    }

    public bool Covers(string host, int port, IPAddress[] addresses) =>
        everything
        || names.Any(entry => (entry.Port ?? port) == port && Matches(entry.Name, entry.OnlyBelow, host))
        || networks.Any(entry => (entry.Port ?? port) == port && Array.TrueForAll(addresses, address => entry.Network.Contains(AddressGuard.Meant(address))));

    static bool Matches(string name, bool onlyBelow, string host) =>
        (!onlyBelow && host == name) || (host.Length > name.Length && host.EndsWith(name, StringComparison.Ordinal) && host[host.Length - name.Length - 1] == '.');

    bool TryAdd(string entry)
    {
        if (entry == "*")
            return everything = true;
        if (TryNetwork(entry, out var network))
        {
            networks.Add((network, null));
            return true;
        }

        var onlyBelow = entry.StartsWith('.') || entry.StartsWith("*.", StringComparison.Ordinal);
        if (!HostName.TryAuthority(onlyBelow ? entry[(entry.IndexOf('.') + 1)..] : entry, 0, out var authority))
            return false;
        int? port = authority.Port == 0 ? null : authority.Port;
        if (authority.IsAddress && TryNetwork(authority.Host, out network))
            networks.Add((network, port));
        else
            names.Add((authority.Host, onlyBelow, port));
        return true;
    }

    static bool TryNetwork(string text, out IPNetwork network)
    {
        network = default;
        if (text.Contains('/'))
            return IPNetwork.TryParse(text, out network);
        if (!IPAddress.TryParse(text, out var address))
            return false;
        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }
}
