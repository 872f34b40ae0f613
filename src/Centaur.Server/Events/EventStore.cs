using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;
using Npgsql;

namespace Centaur.Server.Events;

/// <summary>Every statement about the event log of threads.</summary>
public sealed class EventStore(PostgresDatabase database, WakeUps wakeUps) : IDisposable
{
    const long BatchBytes = 256 * 1024;

    /// <summary>Reads of the log at once. An append may wake thousands of readers: they wait here for their turn, and not for connections, of which writers need some.</summary>
    const int ReadsAtOnce = 8;

    readonly SemaphoreSlim reading = new(ReadsAtOnce, ReadsAtOnce);

    /// <summary>
    /// Appends events in order, in the caller's transaction, which must hold the thread's lock (<see cref="SqlSession.LockThread"/>).
    /// Readers are woken once it has committed.
    /// </summary>
    public async Task Append(
        SqlSession session, string threadKey, string? executionId, IReadOnlyList<NewEvent> events, CancellationToken cancellationToken)
    {
        if (events.Count > 0)
            await session.Execute(Append(session, threadKey, executionId, events), cancellationToken);
    }

    /// <summary>The same as a statement, for a batch.</summary>
    public Sql Append(SqlSession session, string threadKey, string? executionId, IReadOnlyList<NewEvent> events)
    {
        session.AfterCommit(() => wakeUps.Raise(Topics.Thread(threadKey)));
        return Sql.Of(
            $"""
            insert into agent_execution_event_rows (thread_key, execution_id, event_kind, event_json, first_seq, last_seq)
            select {threadKey}, {executionId}, kind, json, first_seq, last_seq
            from unnest({events.Select(e => e.Kind).ToArray()}, {events.Select(e => new Jsonb(e.Json)).ToArray()},
                        {events.Select(e => e.FirstSeq).ToArray()}, {events.Select(e => e.LastSeq).ToArray()})
                 with ordinality as batch (kind, json, first_seq, last_seq, position)
            order by position
            """);
    }

    /// <summary>
    /// The next events of a thread after a cursor, ascending: at most <paramref name="limit"/>, and no more than about a quarter of a megabyte of text, but one at least.
    /// </summary>
    internal async Task<IReadOnlyList<StoredEvent>> After(
        string threadKey, string? executionId, long afterEventId, int limit, CancellationToken cancellationToken)
    {
        await reading.WaitAsync(cancellationToken);
        try
        {
            var rows = await RowsAfter(threadKey, executionId, afterEventId, limit, cancellationToken);
            return rows.Count == 0 && await EndOfFirstChunk(threadKey, executionId, afterEventId, cancellationToken) is { } horizon
                ? await ChunksAfter(threadKey, executionId, afterEventId, horizon, limit, cancellationToken)
                : rows;
        }
        finally
        {
            reading.Release();
        }
    }

    /// <summary>
    /// Where no chunk holds anything after the cursor. What is stored is much shorter than its text where it repeats itself: the inner bound is on what is unpacked to know the
    /// text's length, the outer one on the text.
    /// </summary>
    Task<IReadOnlyList<StoredEvent>> RowsAfter(string threadKey, string? executionId, long afterEventId, int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select event_id, execution_id, event_kind, event_json::text
            from (select event_id, execution_id, event_kind, event_json,
                         sum(length) over (order by event_id rows between unbounded preceding and 1 preceding) as before
                  from (select event_id, execution_id, event_kind, event_json, octet_length(event_json::text) as length
                        from (select event_id, execution_id, event_kind, event_json,
                                     sum(size) over (order by event_id rows between unbounded preceding and 1 preceding) as packed
                              from (select event_id, execution_id, event_kind, event_json, pg_column_size(event_json) as size
                                    from agent_execution_event_rows
                                    where thread_key = {threadKey} and event_id > {afterEventId} and ({executionId} is null or execution_id = {executionId})
                                          and not exists (select from agent_execution_event_chunks
                                                          where thread_key = {threadKey} and last_event_id > {afterEventId} and ({executionId} is null or execution_id = {executionId}))
                                    order by event_id
                                    limit {limit}) page) unpacked
                        where packed is null or packed < {BatchBytes}
                        offset 0) texts) sized
            where before is null or before < {BatchBytes}
            order by event_id
            """,
            StoredEvent.Read,
            cancellationToken);

    /// <summary>The last event of the chunk that ends first after the cursor, or null where there is none.</summary>
    Task<long?> EndOfFirstChunk(string threadKey, string? executionId, long afterEventId, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select min(last_event_id) from agent_execution_event_chunks
            where thread_key = {threadKey} and last_event_id > {afterEventId} and ({executionId} is null or execution_id = {executionId})
            """,
            row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0),
            cancellationToken);

    /// <summary>
    /// What stands between the cursor and the end of a chunk: in that chunk, in those that overlap with it, and in rows, should a clock that was set back have left some there.
    /// </summary>
    Task<IReadOnlyList<StoredEvent>> ChunksAfter(string threadKey, string? executionId, long afterEventId, long horizon, int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select event_id, execution_id, event_kind, event_json
            from (select event_id, execution_id, event_kind, event_json,
                         sum(octet_length(event_json)) over (order by event_id rows between unbounded preceding and 1 preceding) as before
                  from (select e.event_id, c.execution_id, e.event_kind, e.event_json
                        from agent_execution_event_chunks c, unnest(c.event_ids, c.event_kinds, c.event_jsons) as e (event_id, event_kind, event_json)
                        where c.thread_key = {threadKey} and c.last_event_id > {afterEventId} and c.first_event_id <= {horizon}
                              and e.event_id > {afterEventId} and e.event_id <= {horizon} and ({executionId} is null or c.execution_id = {executionId})
                        union all
                        select event_id, execution_id, event_kind, event_json::text
                        from agent_execution_event_rows
                        where thread_key = {threadKey} and event_id > {afterEventId} and event_id <= {horizon} and ({executionId} is null or execution_id = {executionId})
                        order by event_id
                        limit {limit}) page) sized
            where before is null or before < {BatchBytes}
            order by event_id
            """,
            StoredEvent.Read,
            cancellationToken);

    /// <summary>No event has a greater id than this.</summary>
    internal Task<long> LastIssued(CancellationToken cancellationToken) =>
        database.First($"select last_value from agent_execution_events_event_id_seq", row => row.GetInt64(0), cancellationToken);

    /// <summary>Whether there is such a thread, and such an execution on it where one is named.</summary>
    internal async Task<bool> Knows(string threadKey, string? executionId, CancellationToken cancellationToken) =>
        await database.First(
            $"""
            select case when {executionId} is null
                        then exists (select from agent_runtime_assignments where thread_key = {threadKey})
                             or exists (select from agent_execution_event_rows where thread_key = {threadKey})
                             or exists (select from agent_execution_event_chunks where thread_key = {threadKey})
                        else exists (select from agent_execution_requests where execution_id = {executionId} and thread_key = {threadKey}) end
            """,
            row => row.GetBoolean(0),
            cancellationToken);

    /// <summary>The state in which an execution ended, or null while it has not.</summary>
    internal Task<ExecutionEnd?> EndOf(string executionId, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select greatest((select max(event_id) from agent_execution_event_rows v where v.thread_key = e.thread_key and v.execution_id = e.execution_id),
                            (select max(last_event_id) from agent_execution_event_chunks c where c.thread_key = e.thread_key and c.execution_id = e.execution_id), 0),
                   (jsonb_build_object('type', 'execution.state', 'execution_id', execution_id, 'thread_key', thread_key, 'status', status)
                    || jsonb_strip_nulls(jsonb_build_object('terminal_reason', terminal_reason, 'result_text', result_text, 'error_text', error_text)))::text
            from agent_execution_requests e
            where execution_id = {executionId} and status in ('completed', 'failed_permanent', 'cancelled')
            """,
            row => new ExecutionEnd(row.GetInt64(0), row.GetString(1)),
            cancellationToken);

    public void Dispose() => reading.Dispose();
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

/// <param name="LastEventId">The last event of the execution; 0 where it has none.</param>
/// <param name="SnapshotJson">What a reader that missed everything is told (contract §1.6).</param>
internal sealed record ExecutionEnd(long LastEventId, string SnapshotJson);
