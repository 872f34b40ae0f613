using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Platform.Leases;

/// <summary>How long this process may own what it owns without saying that it lives.</summary>
public sealed record LeaseOptions
{
    /// <summary>The lease's length, in the database's time.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often it is renewed; at most half of <see cref="Length"/>.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often leases of others are looked at.</summary>
    public TimeSpan Reap => Renewal;

    public static LeaseOptions Read(Settings settings)
    {
        var section = settings.Root.Section("worker");
        var standard = new LeaseOptions();
        var options = new LeaseOptions
        {
            Length = TimeSpan.FromSeconds(section.Decimal("lease_seconds", standard.Length.TotalSeconds, 1, 600, "EXECUTION_WORKER_LEASE_S")),
            Renewal = TimeSpan.FromSeconds(section.Decimal("renew_seconds", standard.Renewal.TotalSeconds, 0.1, 200)),
        };
        if (options.Renewal * 2 > options.Length)
            section.Report("renew_seconds", "must be at most half of worker.lease_seconds, so that one late renewal loses nothing");
        return options;
    }
}
