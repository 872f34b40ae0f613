using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Sandboxes;

/// <summary>How many sandboxes live, by state.</summary>
internal sealed class SandboxGauges(PostgresDatabase database) : IGaugeSource
{
    public async Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken) =>
    [
        Gauge.Of(
            "centaur_sandboxes", "Sandboxes that are not dead, by state.", "state", ["starting", "spare", "claimed", "stopping"],
            await database.Query($"select state, count(*) from sandboxes where state <> 'dead' group by state", row => (row.GetString(0), row.GetInt64(1)), cancellationToken)),
    ];
}
