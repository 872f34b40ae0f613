using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Events;

/// <summary>How large the event log is on disk, its indexes included.</summary>
internal sealed class EventGauges(PostgresDatabase database) : IGaugeSource
{
    public async Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken) =>
    [
        Gauge.Of(
            "centaur_event_log_bytes", "Size of the event log on disk, its indexes included.",
            await database.First(
                $"""
                select (pg_total_relation_size('agent_execution_event_chunks') + coalesce(sum(pg_total_relation_size(relid)), 0))::bigint
                from pg_partition_tree('agent_execution_event_rows') where isleaf
                """,
                row => row.GetInt64(0), cancellationToken)),
    ];
}
