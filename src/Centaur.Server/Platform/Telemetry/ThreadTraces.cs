using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Platform.Telemetry;

/// <summary>Every statement about the trace id of a thread, which follows it everywhere and never changes.</summary>
public sealed class ThreadTraces(PostgresDatabase database)
{
    static readonly CrashPoint Tracing = new("thread.trace");
    /// <summary>The thread's trace id; made now, from the proposal where there is one, if the thread has none.</summary>
    public async Task<Guid> Of(string threadKey, Guid? proposed, CancellationToken cancellationToken) =>
        await database.First(Lookup(threadKey), row => (Guid?)row.GetGuid(0), cancellationToken)
        ?? await database.InTransaction(Tracing, session => Of(session, threadKey, proposed, cancellationToken), cancellationToken);

    /// <summary>The thread's trace id, made now if the thread has none.</summary>
    public Task<Guid> Of(string threadKey, CancellationToken cancellationToken) => Of(threadKey, proposed: null, cancellationToken);

    /// <summary>The same in the caller's transaction.</summary>
    public async Task<Guid> Of(SqlSession session, string threadKey, Guid? proposed, CancellationToken cancellationToken)
    {
        await session.Execute(
            $"insert into thread_traces (thread_key, trace_id) values ({threadKey}, {proposed ?? Guid.CreateVersion7()}) on conflict do nothing",
            cancellationToken);
        return await session.First(Lookup(threadKey), row => row.GetGuid(0), cancellationToken);
    }

    static Sql Lookup(string threadKey) => Sql.Of($"select trace_id from thread_traces where thread_key = {threadKey}");
}
