using System.Collections.Concurrent;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Platform.Telemetry;

/// <summary>
/// What an operator should hear of though nobody asked: each is counted in <c>centaur_alerts_total</c> and logged under its own event id, at most once a second,
/// so that whoever provokes them fills no disk.
/// </summary>
public sealed partial class Alerts(TimeProvider time, ILogger<Alerts> log)
{
    /// <summary>A sandbox asked for what only others may have.</summary>
    public const string SandboxRefused = "sandbox_refused";

    /// <summary>The database's disk is full: what is written is refused until there is room.</summary>
    public const string DatabaseDiskFull = "database_disk_full";

    /// <summary>This machine's disk is full.</summary>
    public const string ServerDiskFull = "server_disk_full";

    /// <summary>What a proxy recorded was altered before it was stored: nothing of that sandbox's audit is taken from there on.</summary>
    public const string EgressChainBroken = "egress_chain_broken";

    static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<string, long> told = new(StringComparer.Ordinal);

    /// <summary>How often each was raised.</summary>
    public Counter Count { get; } = new("centaur_alerts_total", "What an operator should look at, by what it is.", "alert", SandboxRefused, DatabaseDiskFull, ServerDiskFull, EgressChainBroken);

    /// <param name="alert">One of this type's words.</param>
    /// <param name="what">For people.</param>
    public void Raise(string alert, string what)
    {
        Count.Add(alert);
        var now = time.GetTimestamp();
        var last = told.GetValueOrDefault(alert, long.MinValue);
        if ((last == long.MinValue || time.GetElapsedTime(last, now) >= BetweenLines) && (told.TryAdd(alert, now) || told.TryUpdate(alert, now, last)))
            LogRaised(log, alert, what);
    }

    [LoggerMessage(1401, LogLevel.Critical, "Alert {Alert}: {What}")]
    static partial void LogRaised(ILogger log, string alert, string what);
}
