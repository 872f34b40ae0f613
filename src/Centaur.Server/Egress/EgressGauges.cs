using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Egress;

/// <summary>How many sandboxes have an audit whose chain does not hold.</summary>
internal sealed class EgressGauges(PostgresDatabase database) : IGaugeSource
{
    public async Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken) =>
    [
        Gauge.Of(
            "centaur_egress_broken_chains", "Sandboxes whose audit does not hold, and is not stored from there on.",
            await database.First($"select count(*) from egress_anchors where broken_line is not null", row => row.GetInt64(0), cancellationToken)),
    ];
}
