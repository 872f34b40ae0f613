using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;

namespace Centaur.Server.Deliveries;

/// <summary>
/// Looks for the gap between "the turn has ended" and "its author was told". 1. A delivery that still waits for an execution that has ended is made ready. 2. One that no
/// deliverer survives is given up. 3. One that is late is told, once: to the operator, and in the thread's log.
/// </summary>
internal sealed class DeliveryWatchdog(
    PostgresDatabase database, DeliveryStore store, DeliveryClaims claims, DeliveryOutbox outbox, EventStore events, WorkerLease lease, DeliveryOptions options, TimeProvider time,
    ILogger<DeliveryWatchdog> log) : BackgroundService
{
    static readonly CrashPoint Repairing = new("delivery.repair");
    static readonly CrashPoint Telling = new("delivery.overdue");

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Watch, time);
        try
        {
            do
            {
                try
                {
                    await Look(stoppingToken);
                }
                catch (Exception e) when (Outages.IsOutage(e))
                {
                    log.NotLooked(e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The term is over.
        }
    }

    internal async Task Look(CancellationToken cancellationToken)
    {
        // 1.
        foreach (var forgotten in await store.Forgotten(cancellationToken))
        {
            var repaired = await database.InTransaction(
                Repairing,
                async session =>
                {
                    await session.LockThread(forgotten.ThreadKey, cancellationToken);
                    return await outbox.Ready(session, [forgotten.ExecutionId], cancellationToken);
                },
                cancellationToken);
            if (repaired > 0)
                log.Repaired(forgotten.ExecutionId, forgotten.ThreadKey);
        }

        // 2.
        var givenUp = await claims.GiveUp(cancellationToken);
        if (givenUp > 0)
            log.GaveUp(givenUp);

        // 3.
        foreach (var late in await store.Late(cancellationToken))
            await Tell(late, cancellationToken);
    }

    async Task Tell(DeliveryId late, CancellationToken cancellationToken)
    {
        var told = await database.InTransaction(
            Telling,
            async session =>
            {
                await session.LockThread(late.ThreadKey, cancellationToken);
                if (await store.MarkOverdue(session, late.ExecutionId, cancellationToken) is not { } now)
                    return null;
                await events.Append(
                    session, late.ThreadKey, late.ExecutionId,
                    [DeliveryEvent.Of(
                        EventKinds.FinalDeliveryOverdue, "final_delivery.overdue", late.ExecutionId, late.ThreadKey,
                        ("state", now.State), ("attempt_count", now.Attempts), ("last_error", now.Error))],
                    cancellationToken);
                return now;
            },
            cancellationToken);
        if (told is not null)
            log.Overdue(late.ExecutionId, late.ThreadKey, told.State, told.Attempts, told.Error ?? "no attempt has failed");
    }
}
