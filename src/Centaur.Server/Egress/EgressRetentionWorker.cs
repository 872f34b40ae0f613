using Centaur.Server.Platform.Database;

namespace Centaur.Server.Egress;

/// <summary>Keeps the daily partitions a week ahead, and drops those that were kept long enough.</summary>
internal sealed class EgressRetentionWorker(EgressStore store, EgressRecordOptions options, Readiness readiness, TimeProvider time, ILogger<EgressRetentionWorker> log) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromHours(6);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        while (true)
        {
            try
            {
                await store.EnsurePartitions(stoppingToken);
                if (await store.Expire(options.KeepDays, stoppingToken) is > 0 and var days)
                    log.Expired(days, options.KeepDays);
            }
            catch (Exception e) when (e is Npgsql.NpgsqlException)
            {
                // The default partition takes the rows meanwhile, and what is too old stays until the next look.
                log.NotKept(e.Message);
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }
}
