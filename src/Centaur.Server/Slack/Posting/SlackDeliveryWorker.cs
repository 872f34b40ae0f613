using Centaur.Server.Deliveries;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Slack.Posting;

/// <summary>Takes answers that go to Slack from the outbox, as any deliverer does, several at a time.</summary>
internal sealed class SlackDeliveryWorker(
    DeliveryClaims claims, SlackIdentity identity, SlackPost post, WorkerLease lease, WakeUps wakeUps, SlackOptions options, TimeProvider time, ILogger<SlackDeliveryWorker> log)
    : BackgroundService
{
    const int AtOnce = 5;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        var consumerId = $"slack-{term.WorkerId}";
        using var watch = wakeUps.Watch(Topics.Deliveries);
        while (!stoppingToken.IsCancellationRequested)
        {
            var woken = watch.Next();
            try
            {
                // Nothing is claimed that could not be posted.
                if (await identity.Find(stoppingToken) is not { } self)
                    await Task.Delay(options.Retry, time, stoppingToken);
                else if (!await TryDeliver(consumerId, self, stoppingToken))
                    await watch.Wait(woken, options.Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task<bool> TryDeliver(string consumerId, SlackSelf self, CancellationToken stoppingToken)
    {
        try
        {
            var claimed = await claims.Claim(new DeliveryClaim(consumerId, AtOnce, options.Lease, "slack") { SkipGrace = true }, stoppingToken);
            await Task.WhenAll(claimed.Select(delivery => post.Deliver(delivery, consumerId, self, stoppingToken)));
            return claimed.Count > 0;
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.DatabaseUnreachable(e.Message);
            return false;
        }
    }
}
