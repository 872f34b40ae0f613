using System.Net;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// Which addresses a name may resolve to.
/// <para>1. What <see cref="AddressGuard.IsNever"/> names is not dialled. 2. An exact name may have the exact addresses that the operator excepted for it. 3. Everything else must be
/// public, and in no network that the operator denied.</para>
/// </summary>
/// <param name="Denied">Networks that are not dialled though they are public.</param>
/// <param name="Exceptions">Addresses by canonical name.</param>
sealed record DialRules(IReadOnlyList<IPNetwork> Denied, IReadOnlyDictionary<string, IPAddress[]> Exceptions)
{
    public static DialRules Public { get; } = new([], new Dictionary<string, IPAddress[]>());

    public bool Allow(string host, IPAddress address)
    {
        var meant = AddressGuard.Meant(address);
        if (AddressGuard.IsNever(meant))
            return false;
        if (Exceptions.TryGetValue(host, out var excepted) && excepted.Contains(meant))
            return true;
        return AddressGuard.IsPublic(meant) && !Denied.Any(network => network.Contains(meant) || network.Contains(address));
    }
}
