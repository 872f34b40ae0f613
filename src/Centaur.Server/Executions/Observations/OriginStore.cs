using Centaur.Server.Deliveries;
using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Executions.Observations;

/// <summary>Every statement about where an execution comes from.</summary>
internal sealed class OriginStore(PostgresDatabase database)
{
    /// <summary>What the execution's observations carry, from its active assignment; null where that was released.</summary>
    public Task<ObservationOrigin?> Active(ClaimedExecution execution, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select harness, engine, persona_id, prompt_ref, effective_agents_md_sha256 from agent_runtime_assignments
            where thread_key = {execution.ThreadKey} and assignment_generation = {execution.AssignmentGeneration} and state = 'active'
            """,
            row => Origin(execution, row, 0),
            cancellationToken);

    /// <summary>All that its first and its last event tell of it.</summary>
    public async Task<ExecutionFacts> Facts(SqlSession session, ClaimedExecution execution, CancellationToken cancellationToken) =>
        (await session.First(
            $"""
            select a.harness, a.engine, a.persona_id, a.prompt_ref, a.effective_agents_md_sha256, a.runtime_id,
                   extract(epoch from coalesce(e.started_at, clock_timestamp()) - e.created_at)::float8,
                   extract(epoch from clock_timestamp() - coalesce(e.started_at, clock_timestamp()))::float8,
                   e.delivery ->> 'platform', e.metadata ->> 'user_id',
                   (select count(*) from agent_execution_requests o where o.thread_key = e.thread_key and o.created_at <= e.created_at),
                   coalesce(e.metadata #>> {DeliveryStore.SuppressPath} = 'true', false)
            from agent_execution_requests e
            left join agent_runtime_assignments a on a.thread_key = e.thread_key and a.assignment_generation = e.assignment_generation
            where e.execution_id = {execution.ExecutionId}
            """,
            row => new ExecutionFacts(
                Origin(execution, row, 0), Text(row, 5), Math.Round(row.GetDouble(6), 3), Math.Round(row.GetDouble(7), 3), Text(row, 8), Text(row, 9), row.GetInt64(10), row.GetBoolean(11)),
            cancellationToken))!;

    static ObservationOrigin Origin(ClaimedExecution execution, NpgsqlDataReader row, int at) =>
        new(execution.ExecutionId, execution.ThreadKey, execution.AssignmentGeneration)
        {
            Harness = Text(row, at), Engine = Text(row, at + 1), PersonaId = Text(row, at + 2), PromptRef = Text(row, at + 3), PromptSha = Text(row, at + 4),
        };

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <param name="Origin">What all its observations carry.</param>
/// <param name="RuntimeId">Its sandbox.</param>
/// <param name="QueueDelay">Seconds from its queueing to its first claim.</param>
/// <param name="Duration">Seconds since then.</param>
/// <param name="Platform">Where its answer goes.</param>
/// <param name="UserId">Who asked.</param>
/// <param name="Sequence">The how-manieth of its thread it is.</param>
/// <param name="Replaced">Words that steered it take the place of its answer, should it be cancelled.</param>
internal sealed record ExecutionFacts(
    ObservationOrigin Origin, string? RuntimeId, double QueueDelay, double Duration, string? Platform, string? UserId, long Sequence, bool Replaced);
