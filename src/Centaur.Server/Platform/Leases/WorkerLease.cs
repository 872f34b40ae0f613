using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Platform.Leases;

/// <summary>
/// The one lease of this process: its row in <c>workers</c>. What it owns (executions, sandboxes) names <see cref="WorkerId"/>, and every write of the owner
/// checks under FOR SHARE that the lease has not ended. A process that cannot renew stops its work before the lease ends in the database's time, so that
/// whoever takes over never meets it; the fence is there for the one that was paused. Once the database answers again a new term begins, under a new id.
/// </summary>
public sealed partial class WorkerLease(
    PostgresDatabase database, LeaseOptions options, HostIdentity host, Readiness readiness, TimeProvider time, ILogger<WorkerLease> log) : BackgroundService
{
    static readonly CrashPoint Returning = new("lease.return");
    static readonly CrashPoint Taking = new("lease.take");
    static readonly CrashPoint Renewing = new("lease.renew");
    readonly Lock gate = new();
    LeaseTerm term = new(NewWorkerId());
    TaskCompletionSource<LeaseTerm> held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Names this process among all replicas in the present term.</summary>
    public string WorkerId
    {
        get
        {
            lock (gate)
                return term.WorkerId;
        }
    }

    public string HostId => host.HostId;

    /// <summary>
    /// Runs the work in every term, one after another, until the process stops; the token ends with the term and at the stop. Work that returns or fails in the
    /// middle of a term is not begun again.
    /// </summary>
    public async Task WhileHeld(Func<LeaseTerm, CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            LeaseTerm mine;
            try
            {
                mine = await Held().WaitAsync(stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, mine.Over);
            await work(mine, ends.Token);
            if (!mine.IsLost)
                return;
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await term.End(lost: false);
        try
        {
            await database.Write(Returning, $"update workers set lease_expires_at = clock_timestamp() where worker_id = {WorkerId}", cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            LogNotReturned(log, e.Message);
        }
    }

    public override void Dispose()
    {
        term.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        while (true)
        {
            await Take(stoppingToken);
            await Renew(stoppingToken);
            LogLost(log, WorkerId);
            await Lose();
        }
    }

    static string NewWorkerId() => $"{Environment.MachineName}:{Guid.CreateVersion7().ToString("N")[^12..]}";

    Task<LeaseTerm> Held()
    {
        lock (gate)
            return held.Task;
    }

    /// <summary>Whoever waits for a term from now on waits for the next one; only then does the work of the old one end.</summary>
    async Task Lose()
    {
        LeaseTerm old;
        lock (gate)
        {
            (old, term) = (term, new LeaseTerm(NewWorkerId()));
            held = new TaskCompletionSource<LeaseTerm>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        await old.End(lost: true);
    }

    async Task Take(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await database.Write(
                    Taking,
                    $"""
                    insert into workers (worker_id, host_id, version, lease_expires_at)
                    values ({WorkerId}, {HostId}, {host.Version}, clock_timestamp() + {options.Length})
                    on conflict (worker_id) do update set lease_expires_at = excluded.lease_expires_at
                    """,
                    stoppingToken);
                held.SetResult(term);
                return;
            }
            catch (Exception e) when (Outages.IsOutage(e))
            {
                LogNotRenewed(log, e.Message);
                await Task.Delay(options.Renewal, time, stoppingToken);
            }
        }
    }

    /// <summary>Returns when the lease can no longer be counted on.</summary>
    async Task Renew(CancellationToken stoppingToken)
    {
        var renewed = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.Renewal, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var asked = time.GetTimestamp();
            switch (await TryRenew(stoppingToken))
            {
                case true:
                    renewed = asked;
                    break;
                case false:
                    return;
                case null when time.GetElapsedTime(renewed) > options.Length - options.Renewal:
                    return;
            }
        }
    }

    /// <summary>False when the database says that the lease has ended already; null when it did not answer in time.</summary>
    async Task<bool?> TryRenew(CancellationToken stoppingToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(options.Renewal);
        try
        {
            return await database.Write(
                Renewing,
                $"""
                update workers set renewed_at = clock_timestamp(), lease_expires_at = clock_timestamp() + {options.Length}
                where worker_id = {WorkerId} and lease_expires_at > clock_timestamp()
                """,
                limit.Token) == 1;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
        {
            LogNotRenewed(log, e.Message);
            return null;
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "The worker's lease was not renewed and will be tried again: {Reason}")]
    static partial void LogNotRenewed(ILogger log, string reason);

    [LoggerMessage(1302, LogLevel.Critical, "Worker {WorkerId} lost its lease: what it ran is stopped and goes on elsewhere, or here under a new lease")]
    static partial void LogLost(ILogger log, string workerId);

    [LoggerMessage(1303, LogLevel.Warning, "The lease was not returned at the stop and ends by itself: {Reason}")]
    static partial void LogNotReturned(ILogger log, string reason);
}
