using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Npgsql;

namespace Centaur.Server.Executions;

/// <summary>
/// Takes executions from the queue and runs them, several at once, each in a loop of its own. Everything it starts ends when the worker's lease can no longer
/// be counted on.
/// </summary>
internal sealed class ExecutionWorker(
    ExecutionClaims claims, ExecutionRun run, WorkerLease lease, WakeUps wakeUps, ExecutionOptions options, LeaseOptions leases, TimeProvider time, ILogger<ExecutionWorker> log)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var slots = new ExecutionSlots(claims, options, wakeUps);
        var loops = Enumerable.Range(0, options.Concurrency).Select(_ => Work(slots, term, stoppingToken)).Append(Reap(stoppingToken)).ToList();
        // A loop that ends is a fault, unless all of them were told to: the first one's exception stops the process.
        await await Task.WhenAny(loops);
        await Task.WhenAll(loops);
    }

    async Task Work(ExecutionSlots slots, LeaseTerm term, CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(Topics.Executions);
        while (!stoppingToken.IsCancellationRequested)
        {
            var woken = watch.Next();
            try
            {
                if (await TryClaim(slots, stoppingToken) is { } execution)
                    await RunClaimed(slots, execution, term, stoppingToken);
                else
                    await watch.Wait(woken, options.Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    internal async Task<ClaimedExecution?> TryClaim(ExecutionSlots slots, CancellationToken stoppingToken)
    {
        try
        {
            return await slots.Claim(stoppingToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Another worker took an execution of the same thread at the same moment.
            return null;
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.DatabaseUnreachable(e.Message);
            return null;
        }
    }

    internal async Task RunClaimed(ExecutionSlots slots, ClaimedExecution execution, LeaseTerm term, CancellationToken stoppingToken)
    {
        log.Claimed(execution.ExecutionId, execution.ThreadKey, execution.FencingGeneration);
        var isOurs = false;
        try
        {
            await run.Run(execution, stoppingToken);
        }
        catch (FencedException)
        {
            log.Fenced(execution.ExecutionId);
            // Where only its sandbox was taken away, the execution is still ours, and goes on in another once that one has ended.
            await Task.Delay(options.Poll, time, stoppingToken);
            isOurs = !await TryGiveBack(execution);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (!term.IsLost)
                isOurs = !await TryGiveBack(execution);
            throw;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            // Its failure could not be written either. Whatever one execution meets, the others go on; this one is tried again.
            log.Faulted(execution.ExecutionId, e);
            await Task.Delay(options.Poll, time, stoppingToken);
            isOurs = !await TryGiveBack(execution);
        }
        finally
        {
            await slots.Leave(execution, isOurs);
        }
    }

    /// <summary>At a clean stop another replica goes on at once, instead of when the lease ends.</summary>
    async Task<bool> TryGiveBack(ClaimedExecution execution)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await claims.Return(execution, limit.Token);
            return true;
        }
        catch (Exception e) when (Outages.IsOutage(e) || e is OperationCanceledException)
        {
            log.DatabaseUnreachable(e.Message);
            return false;
        }
    }

    async Task Reap(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(leases.Reap, time);
        do
        {
            try
            {
                var freed = await claims.Reap(stoppingToken);
                if (freed > 0)
                    log.Reaped(freed);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (Outages.IsOutage(e))
            {
                log.DatabaseUnreachable(e.Message);
            }
        }
        while (await Tick(timer, stoppingToken));
    }

    static async Task<bool> Tick(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
