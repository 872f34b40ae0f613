using System.Collections.Concurrent;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Tls;

/// <summary>
/// Leaves by host. A leaf is made once, however many handshakes ask for it at the same moment; how many are made in a minute is limited, and so is how many are
/// kept: the one that was not asked for longest makes room.
/// </summary>
sealed class LeafCache(CertificateAuthority authority, ProxyLimits limits, TimeProvider time)
{
    readonly ConcurrentDictionary<string, Kept> leaves = new(StringComparer.Ordinal);
    readonly RateWindow mints = new(limits.LeafMintsPerMinute, time);

    /// <summary>Null where this minute's leaves are spent.</summary>
    public Leaf? For(Authority host)
    {
        if (leaves.TryGetValue(host.Host, out var known) && known.Leaf.Value.RenewAfter > time.GetUtcNow())
        {
            known.Used = time.GetTimestamp();
            return known.Leaf.Value;
        }

        if (!mints.TryTake())
            return null;
        if (known is null && leaves.Count >= limits.Leaves)
            leaves.TryRemove(leaves.MinBy(kept => kept.Value.Used));
        var made = new Kept(new Lazy<Leaf>(() => authority.Issue(host), LazyThreadSafetyMode.ExecutionAndPublication)) { Used = time.GetTimestamp() };
        var kept = known is null ? leaves.GetOrAdd(host.Host, made) : leaves.AddOrUpdate(host.Host, made, (_, other) => ReferenceEquals(other, known) ? made : other);
        return kept.Leaf.Value;
    }

    sealed class Kept(Lazy<Leaf> leaf)
    {
        public Lazy<Leaf> Leaf => leaf;

        public long Used { get; set; }
    }
}
