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
    readonly SemaphoreSlim claiming = new(1, 1);
    readonly HashSet<string> running = new(StringComparer.Ordinal);
    bool isInDoubt;

    public override void Dispose()
    {
        claiming.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        var loops = Enumerable.Range(0, options.Concurrency).Select(_ => Work(term, stoppingToken)).Append(Reap(stoppingToken)).ToList();
        // A loop that ends is a fault, unless all of them were told to: the first one's exception stops the process.
        await await Task.WhenAny(loops);
        await Task.WhenAll(loops);
    }

    async Task Work(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(Topics.Executions);
        while (!stoppingToken.IsCancellationRequested)
        {
            var woken = watch.Next();
            try
            {
                if (await TryClaim(stoppingToken) is { } execution)
                    await RunClaimed(execution, term, stoppingToken);
                else
                    await watch.Wait(woken, options.Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>
    /// A claim whose answer was lost may have been made, and an execution that could not be given back is still ours: while this worker lives no reaper takes them away. So after
    /// an outage everything that names this worker and does not run here is given back first.
    /// </summary>
    internal async Task<ClaimedExecution?> TryClaim(CancellationToken stoppingToken)
    {
        await claiming.WaitAsync(stoppingToken);
        try
        {
            if (isInDoubt)
                await claims.ReturnAllBut(running, stoppingToken);
            isInDoubt = false;
            var execution = await claims.Claim(stoppingToken);
            if (execution is not null)
                running.Add(execution.ExecutionId);
            return execution;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Another worker took an execution of the same thread at the same moment.
            return null;
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.DatabaseUnreachable(e.Message);
            isInDoubt = true;
            return null;
        }
        finally
        {
            claiming.Release();
        }
    }

    internal async Task RunClaimed(ClaimedExecution execution, LeaseTerm term, CancellationToken stoppingToken)
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
        finally
        {
            await claiming.WaitAsync(CancellationToken.None);
            running.Remove(execution.ExecutionId);
            isInDoubt |= isOurs;
            claiming.Release();
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
