using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Sandboxes.Pool;

/// <summary>How many sandboxes are kept ready for threads that have none.</summary>
public sealed record WarmPoolOptions
{
    /// <summary>Spare sandboxes of one host; 0 is no pool.</summary>
    public int Size { get; init; } = 2;

    /// <summary>How often the pool is looked after. A spare that was taken is replaced no sooner, so that its replacement does not slow the turn that took it.</summary>
    public TimeSpan Replenish { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A spare of this age is replaced.</summary>
    public TimeSpan RecycleAge { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>Whether a server that starts replaces the spares of the one before it: they may have been built by other settings.</summary>
    public bool EvictOnStart { get; init; } = true;

    public static WarmPoolOptions Read(SettingsSection section)
    {
        var standard = new WarmPoolOptions();
        return new WarmPoolOptions
        {
            Size = section.Number("size", standard.Size, 0, 1000, "WARM_POOL_SIZE"),
            Replenish = TimeSpan.FromSeconds(section.Decimal("replenish_seconds", standard.Replenish.TotalSeconds, 0.1, 3600, "WARM_POOL_REPLENISH_INTERVAL")),
            RecycleAge = TimeSpan.FromSeconds(section.Decimal("recycle_seconds", standard.RecycleAge.TotalSeconds, 1, 31_536_000)),
            EvictOnStart = section.Choice("evict_on_start", "1", ["0", "1"], "WARM_POOL_EVICT_ON_STARTUP") == "1",
        };
    }
}
