using Centaur.Server.Platform.Database;

namespace Centaur.Server.Events;

/// <summary>Keeps the event log's daily partitions a week ahead.</summary>
internal sealed class EventPartitionWorker(EventStore events, Readiness readiness, TimeProvider time, ILogger<EventPartitionWorker> log) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        while (true)
        {
            try
            {
                await events.EnsurePartitions(stoppingToken);
            }
            catch (Exception e) when (e is Npgsql.NpgsqlException)
            {
                // The default partition takes the rows meanwhile.
                EventsLog.PartitionsMissing(log, e);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }
}
