using Centaur.Protocol.Attach;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes.Pool;

/// <summary>
/// Keeps the warm pool of this host full: whole jails without identity, behind proxies that deny everything.
/// <para>1. At the start of the process the spares of the server before are ended, or adopted.</para>
/// <para>2. A spare that died is given up; one that is too old is told to end.</para>
/// <para>3. What is missing is reserved, started one after another, and offered. Each has obeyed a policy before it is offered: the first one that a program
/// obeys is the slowest, and need not be a turn's.</para>
/// A machine on which spares do not start is not asked over and over: the pool rests longer each time.
/// </summary>
internal sealed class WarmPoolWorker(
    SpareStore spares, SandboxStore sandboxes, ISandboxBackend backend, CrashPoints crash, WorkerLease lease, WakeUps wakeUps, SandboxOptions options, TimeProvider time,
    ILogger<WarmPoolWorker> log) : BackgroundService
{
    const long DenyAllVersion = 1;
    static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(5);

    bool inherited = true;
    TimeSpan rest;
    long rested;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(Topics.WarmPool);
        try
        {
            while (true)
            {
                var woken = watch.Next();
                await LookAfter(stoppingToken);
                await watch.Wait(woken, options.WarmPool.Replenish, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The term is over.
        }
    }

    async Task LookAfter(CancellationToken stoppingToken)
    {
        try
        {
            // 1.
            if (inherited && (options.WarmPool.EvictOnStart || options.WarmPool.Size == 0))
                await spares.Recycle(TimeSpan.Zero, stoppingToken);
            inherited = false;

            // 2.
            await spares.Recycle(options.WarmPool.RecycleAge, stoppingToken);
            foreach (var spare in await spares.Ready(stoppingToken))
                await GiveUpIfDead(spare, stoppingToken);

            // 3.
            if (time.GetElapsedTime(rested) < rest)
                return;
            await spares.Replenish(stoppingToken);
            foreach (var spare in await spares.Starting(stoppingToken))
                await Start(spare, stoppingToken);
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.NotReconciled(e.Message);
        }
    }

    /// <summary>Attaching at the generation that was seen asks nothing of a spare; one that a thread has taken meanwhile refuses, and is left alone.</summary>
    async Task GiveUpIfDead(SandboxRow spare, CancellationToken stoppingToken)
    {
        try
        {
            if (await backend.Running(spare, stoppingToken) is { } stream)
            {
                await using var keeper = await KeeperConnection.Attach(stream, crash, spare.FencingGeneration, spare.LastSeq, stoppingToken);
                if (keeper.Attached.Phase != KeeperPhases.Dead)
                    return;
            }
        }
        catch (KeeperRefusedException)
        {
            return;
        }
        catch (IOException)
        {
            // It went away in the middle.
        }
        if (await spares.GiveUp(spare, stoppingToken))
            log.SpareDied(spare.SandboxId);
    }

    async Task Start(SandboxRow spare, CancellationToken stoppingToken)
    {
        try
        {
            await using (var keeper = await KeeperConnection.Attach(await backend.Connect(spare, stoppingToken), crash, spare.FencingGeneration, spare.LastSeq, stoppingToken))
            {
                if (keeper.Attached.Phase == KeeperPhases.Dead)
                    throw new SandboxStartException("its jail ended at once; the keeper's log has its words.");
                await keeper.Ask<PolicyAcknowledged>(new PolicyUpdate(new ProxyPolicy { Version = DenyAllVersion, SandboxId = spare.SandboxId }, null), stoppingToken);
            }
            await spares.Offer(spare, DenyAllVersion, stoppingToken);
            rest = TimeSpan.Zero;
            log.SpareReady(spare.SandboxId);
        }
        catch (Exception e) when (e is SandboxStartException or IOException or KeeperRefusedException)
        {
            await sandboxes.Bury(spare, ExitCauses.StartFailed, e.Message, stoppingToken);
            rest = rest == TimeSpan.Zero ? options.WarmPool.Replenish : rest * 2 < LongestRest ? rest * 2 : LongestRest;
            rested = time.GetTimestamp();
            log.NoSpare(rest.TotalSeconds, e.Message);
        }
    }
}
