using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Egress;

/// <summary>Ships when a turn ends and every few seconds; now and then it removes what nobody needs here any more.</summary>
internal sealed class EgressShipWorker(
    AuditShipping shipping, EgressRecordOptions options, Readiness readiness, WakeUps wakeUps, TimeProvider time, ILogger<EgressShipWorker> log) : BackgroundService
{
    static readonly TimeSpan BetweenRemovals = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        using var watch = wakeUps.Watch(Topics.Turns);
        var removed = time.GetTimestamp();
        while (true)
        {
            var woken = watch.Next();
            try
            {
                await shipping.Run(stoppingToken);
                if (time.GetElapsedTime(removed) >= BetweenRemovals)
                {
                    await shipping.RemoveStored(stoppingToken);
                    removed = time.GetTimestamp();
                }
            }
            catch (Exception e) when (Outages.IsOutage(e) || e is IOException or UnauthorizedAccessException)
            {
                log.NotShipped(e.Message);
            }

            await watch.Wait(woken, options.Ship, stoppingToken);
        }
    }
}
