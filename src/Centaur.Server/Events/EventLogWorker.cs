using Centaur.Server.Platform.Database;

namespace Centaur.Server.Events;

/// <summary>
/// Looks after the event log once an hour, on every replica; the database lets one at a time do it.
/// <para>1. The partitions of the next week are made.</para>
/// <para>2. The events of days that are over are moved into compressed chunks, an hour after midnight (UTC) at the earliest.</para>
/// <para>3. Partitions that are left empty by that are dropped, and events beyond their time are removed.</para>
/// </summary>
internal sealed class EventLogWorker(EventLogStore log, EventOptions options, Readiness readiness, TimeProvider time, ILogger<EventLogWorker> logger) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        while (true)
        {
            try
            {
                await log.EnsurePartitions(stoppingToken);
                while (await log.CompactDaysThatAreOver(stoppingToken) > 0)
                {
                }

                await log.DropEmptyDays(stoppingToken);
                if (options.Keep is { } keep)
                    await log.Remove(keep, stoppingToken);
            }
            catch (Exception e) when (e is Npgsql.NpgsqlException)
            {
                // The default partition takes the rows meanwhile, and events are read wherever they stand.
                EventsLog.UpkeepFailed(logger, e);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }
}
