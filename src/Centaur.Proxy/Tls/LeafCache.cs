using System.Collections.Concurrent;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Tls;

/// <summary>Leaves by host. A leaf is made once, however many handshakes ask for it at the same moment; how many are made in a minute is limited.</summary>
sealed class LeafCache(CertificateAuthority authority, ProxyLimits limits, TimeProvider time)
{
    const int MaxLeaves = 2048;

    readonly ConcurrentDictionary<string, Lazy<Leaf>> leaves = new(StringComparer.Ordinal);
    readonly RateWindow mints = new(limits.LeafMintsPerMinute, time);

    /// <summary>Null where this minute's leaves are spent.</summary>
    public Leaf? For(Authority host)
    {
        if (leaves.TryGetValue(host.Host, out var known) && known.Value.RenewAfter > time.GetUtcNow())
            return known.Value;
        if (!mints.TryTake())
            return null;
        if (leaves.Count >= MaxLeaves)
            leaves.Clear();
        var made = new Lazy<Leaf>(() => authority.Issue(host), LazyThreadSafetyMode.ExecutionAndPublication);
        var kept = known is null ? leaves.GetOrAdd(host.Host, made) : leaves.AddOrUpdate(host.Host, made, (_, other) => ReferenceEquals(other, known) ? made : other);
        return kept.Value;
    }
}
