using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;
using Npgsql;

namespace Centaur.Server.Events;

/// <summary>Every statement about the event log of threads.</summary>
public sealed class EventStore(PostgresDatabase database, WakeUps wakeUps)
{
    /// <summary>
    /// Appends events in order, in the caller's transaction, which must hold the thread's lock (<see cref="SqlSession.LockThread"/>).
    /// Readers are woken once it has committed.
    /// </summary>
    public async Task Append(
        SqlSession session, string threadKey, string? executionId, IReadOnlyList<NewEvent> events, CancellationToken cancellationToken)
    {
        if (events.Count == 0)
            return;
        await session.Execute(
            $"""
            insert into agent_execution_events (thread_key, execution_id, event_kind, event_json, first_seq, last_seq)
            select {threadKey}, {executionId}, kind, json, first_seq, last_seq
            from unnest({events.Select(e => e.Kind).ToArray()}, {events.Select(e => new Jsonb(e.Json)).ToArray()},
                        {events.Select(e => e.FirstSeq).ToArray()}, {events.Select(e => e.LastSeq).ToArray()})
                 with ordinality as batch (kind, json, first_seq, last_seq, position)
            order by position
            """,
            cancellationToken);
        session.AfterCommit(() => wakeUps.Raise(Topics.Thread(threadKey)));
    }

    /// <summary>The next events of a thread after a cursor, ascending.</summary>
    public Task<IReadOnlyList<StoredEvent>> After(
        string threadKey, string? executionId, long afterEventId, int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select event_id, execution_id, event_kind, event_json::text
            from agent_execution_events
            where thread_key = {threadKey} and event_id > {afterEventId} and ({executionId} is null or execution_id = {executionId})
            order by event_id
            limit {limit}
            """,
            StoredEvent.Read,
            cancellationToken);
}

/// <summary>An event that is to be appended.</summary>
/// <param name="Kind">The contract's event kind, for example <c>execution_state</c>.</param>
/// <param name="Json">One JSON object.</param>
public sealed record NewEvent(string Kind, string Json)
{
    /// <summary>The first frame that this event was made from, if it was made from frames.</summary>
    public long? FirstSeq { get; init; }

    public long? LastSeq { get; init; }
}

public sealed record StoredEvent(long EventId, string? ExecutionId, string Kind, string Json)
{
    internal static StoredEvent Read(NpgsqlDataReader row) =>
        new(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetString(2), row.GetString(3));
}
