using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Events;

/// <summary>The statements that look after the log as a whole: its partitions, its chunks and its age.</summary>
internal sealed class EventLogStore(PostgresDatabase database)
{
    const int EventsAtOnce = 20_000;

    static readonly CrashPoint Partitioning = new("event.partition");
    static readonly CrashPoint Compacting = new("event.compact");
    static readonly CrashPoint Dropping = new("event.drop_day");
    static readonly CrashPoint Removing = new("event.remove");

    public Task EnsurePartitions(CancellationToken cancellationToken) =>
        database.Write(Partitioning, $"select ensure_event_partitions(7)", cancellationToken);

    /// <summary>Moves some events into chunks, from the days (UTC) that have been over for an hour: no transaction that could still add to them is as old.</summary>
    /// <returns>How many those were; 0 where nothing is left to do, or another replica is at it.</returns>
    public Task<int> CompactDaysThatAreOver(CancellationToken cancellationToken) =>
        database.Write(
            Compacting,
            $"select compact_events(date_trunc('day', now() at time zone 'utc' - interval '1 hour') at time zone 'utc', {EventsAtOnce})",
            row => row.GetInt32(0),
            cancellationToken);

    public Task DropEmptyDays(CancellationToken cancellationToken) =>
        database.Write(Dropping, $"select drop_empty_event_days((now() at time zone 'utc' - interval '1 hour')::date)", cancellationToken);

    /// <summary>Removes the events of days that were over so long ago.</summary>
    public Task Remove(TimeSpan keep, CancellationToken cancellationToken) =>
        database.Write(Removing, $"delete from agent_execution_event_chunks where newest_at < now() - {keep}", cancellationToken);
}
