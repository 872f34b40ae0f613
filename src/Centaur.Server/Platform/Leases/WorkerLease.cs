using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Platform.Leases;

/// <summary>
/// The one lease of this process: its row in <c>workers</c>. What it owns (executions, sandboxes) names <see cref="WorkerId"/>, and every write of the owner
/// checks under FOR SHARE that the lease has not ended. A process that cannot renew stops its work before the lease ends in the database's time
/// (<see cref="Lost"/>), so that whoever takes over never meets it; the fence is there for the one that was paused.
/// </summary>
public sealed partial class WorkerLease : BackgroundService
{
    readonly PostgresDatabase database;
    readonly LeaseOptions options;
    readonly HostIdentity host;
    readonly Readiness readiness;
    readonly TimeProvider time;
    readonly IHostApplicationLifetime lifetime;
    readonly ILogger<WorkerLease> log;
    readonly CancellationTokenSource lost = new();
    readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WorkerLease(
        PostgresDatabase database, LeaseOptions options, HostIdentity host, Readiness readiness, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<WorkerLease> log)
    {
        (this.database, this.options, this.host, this.readiness, this.time, this.lifetime, this.log) = (database, options, host, readiness, time, lifetime, log);
        WorkerId = $"{Environment.MachineName}:{Guid.CreateVersion7().ToString("N")[^12..]}";
    }

    /// <summary>Names this process among all replicas; never used again after it ends.</summary>
    public string WorkerId { get; }

    public string HostId => host.HostId;

    /// <summary>Cancelled when the lease can no longer be counted on: all work that it covers must stop.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Completes when the lease is there: nothing may be owned before.</summary>
    public Task Held(CancellationToken cancellationToken) => held.Task.WaitAsync(cancellationToken);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await lost.CancelAsync();
        try
        {
            await database.Execute($"update workers set lease_expires_at = clock_timestamp() where worker_id = {WorkerId}", cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            LogNotReturned(log, e.Message);
        }
    }

    public override void Dispose()
    {
        lost.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.Wait(stoppingToken);
        await Take(stoppingToken);
        var renewed = time.GetTimestamp();
        using var timer = new PeriodicTimer(options.Renewal, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var asked = time.GetTimestamp();
            if (await TryRenew(stoppingToken))
                renewed = asked;
            else if (time.GetElapsedTime(renewed) > options.Length - options.Renewal)
                break;
        }
        if (stoppingToken.IsCancellationRequested)
            return;
        LogLost(log, WorkerId);
        await lost.CancelAsync();
        lifetime.StopApplication();
    }

    async Task Take(CancellationToken stoppingToken)
    {
        while (!held.Task.IsCompleted)
        {
            try
            {
                await database.Execute(
                    $"""
                    insert into workers (worker_id, host_id, version, lease_expires_at)
                    values ({WorkerId}, {HostId}, {host.Version}, clock_timestamp() + {options.Length})
                    on conflict (worker_id) do nothing
                    """,
                    stoppingToken);
                held.SetResult();
            }
            catch (Exception e) when (Outages.IsOutage(e))
            {
                LogNotRenewed(log, e.Message);
                await Task.Delay(options.Renewal, time, stoppingToken);
            }
        }
    }

    /// <summary>False when the database did not answer in time, or when it says that the lease has ended already.</summary>
    async Task<bool> TryRenew(CancellationToken stoppingToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(options.Renewal);
        try
        {
            return await database.Execute(
                $"""
                update workers set renewed_at = clock_timestamp(), lease_expires_at = clock_timestamp() + {options.Length}
                where worker_id = {WorkerId} and lease_expires_at > clock_timestamp()
                """,
                limit.Token) == 1;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
        {
            LogNotRenewed(log, e.Message);
            return false;
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "The worker's lease was not renewed and will be tried again: {Reason}")]
    static partial void LogNotRenewed(ILogger log, string reason);

    [LoggerMessage(1302, LogLevel.Critical, "Worker {WorkerId} could not renew its lease and stops; another takes its work over")]
    static partial void LogLost(ILogger log, string workerId);

    [LoggerMessage(1303, LogLevel.Warning, "The lease was not returned at the stop and ends by itself: {Reason}")]
    static partial void LogNotReturned(ILogger log, string reason);
}
