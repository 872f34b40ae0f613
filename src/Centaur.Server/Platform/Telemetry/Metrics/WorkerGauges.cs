using Centaur.Server.Platform.Database;

namespace Centaur.Server.Platform.Telemetry.Metrics;

internal sealed class WorkerGauges(PostgresDatabase database) : IGaugeSource
{
    public async Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken) =>
    [
        Gauge.Of(
            "centaur_workers", "Server processes whose lease is alive.",
            await database.First($"select count(*) from workers where lease_expires_at > clock_timestamp()", row => row.GetInt64(0), cancellationToken)),
    ];
}
