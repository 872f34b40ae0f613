using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry.Metrics;

namespace Centaur.Server.Executions;

/// <summary>How many executions stand where, and how long the queue makes people wait.</summary>
internal sealed class ExecutionGauges(PostgresDatabase database) : IGaugeSource
{
    public async Task<IReadOnlyList<Gauge>> Read(CancellationToken cancellationToken)
    {
        var counted = await database.Query(
            $"select status, count(*) from agent_execution_requests group by status", row => (row.GetString(0), row.GetInt64(1)), cancellationToken);
        var oldest = await database.First(
            $"select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 from agent_execution_requests where status = 'queued'",
            row => row.GetDouble(0),
            cancellationToken);
        return
        [
            Gauge.Of("centaur_executions", "Executions by status.", "status", ExecutionStatus.All, counted),
            Gauge.Of("centaur_execution_queue_depth", "Executions that wait for a worker.", counted.FirstOrDefault(c => c.Item1 == ExecutionStatus.Queued).Item2),
            Gauge.Of("centaur_execution_queue_oldest_seconds", "How long the oldest of them has waited.", oldest),
        ];
    }
}
