using Centaur.Protocol.Attach;
using Centaur.Server.Access;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Recovery;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Sandboxes;
using Centaur.Server.Secrets;
using Centaur.Server.Threads.Workspaces;
using Centaur.Testing;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>One worker of a run: the product's own, from the claim to the end of the turn, with a lease, a clock and a gate of its own.</summary>
internal sealed class ModelWorker : IDisposable
{
    public static readonly TimeSpan Silence = TimeSpan.FromHours(1);
    static readonly TimeSpan NoticeAfter = TimeSpan.FromSeconds(10);

    readonly PostgresDatabase books;
    readonly WorkerLease lease;
    readonly LeaseTerm term;
    readonly ExecutionClaims claims;
    readonly TurnStore turns;
    readonly ExecutionSlots slots;
    readonly ExecutionWorker worker;
    readonly CancellationTokenSource stop = new();
    readonly Action<string> report;
    ClaimedExecution? execution;
    bool hasLostLease;
    TimeSpan sinceLoss;

    ModelWorker(IServiceProvider services, ModelSandboxes sandboxes, Action<string> report)
    {
        T Of<T>()
            where T : notnull => services.GetRequiredService<T>();

        this.report = report;
        books = Of<PostgresDatabase>();
        Gate = new ModelGate { BeforeCommit = CheckOwner };
        var database = new PostgresDatabase(Of<NpgsqlDataSource>(), Gate.Points);
        // Postgres' time does not pass with the run's: what waits there may be claimed at once.
        var options = Of<ExecutionOptions>() with { Silence = Silence, Hard = Silence * 10, StreamRetry = TimeSpan.Zero };
        lease = new WorkerLease(database, Of<LeaseOptions>(), Of<HostIdentity>(), Of<Readiness>(), TimeProvider.System, NullLogger<WorkerLease>.Instance);
        term = new LeaseTerm(lease.WorkerId);
        claims = new ExecutionClaims(database, lease, options, Of<WakeUps>());
        slots = new ExecutionSlots(claims, options, Of<WakeUps>());
        var store = new SandboxStore(database, lease, Of<WakeUps>());
        var reservations = new SandboxReservations(database, Of<HostIdentity>(), Of<SandboxOptions>(), Of<WakeUps>());
        turns = new TurnStore(database, claims, Of<EventStore>(), Of<FollowUps>(), Of<DeliveryOutbox>(), reservations, new OriginStore(database), options);
        var run = new ExecutionRun(
            turns,
            new RecoveryStore(database, claims, Of<EventStore>(), reservations, Of<WakeUps>(), options),
            new OriginStore(database),
            new SandboxLifecycle(store, reservations, sandboxes.For(this), Of<SandboxOptions>(), Gate.Points),
            new TurnDelivery(
                Of<SandboxGrants>(), new BrokerClient(Of<HostIdentity>(), Gate.Points), Of<ModelChoice>(), Of<SandboxTokens>(), store, turns, Of<ThreadTraces>(), Of<WorkspaceStore>()),
            new TurnSteering(new SteerStore(database, claims, Of<EventStore>()), Of<WakeUps>(), options),
            Of<HarnessCatalog>(), Of<QuarantinedLines>(), Of<LiveDeltas>(), Of<WakeUps>(), options, Clock, new ModelLog(report));
        worker = new ExecutionWorker(claims, run, lease, Of<WakeUps>(), options, Of<LeaseOptions>(), Clock, NullLogger<ExecutionWorker>.Instance);
    }

    public ModelGate Gate { get; }

    public ManualTimeProvider Clock { get; } = new(DateTimeOffset.UnixEpoch);

    public string WorkerId => lease.WorkerId;

    /// <summary>What it is doing, or has done last.</summary>
    public Task Work { get; private set; } = Task.CompletedTask;

    public bool IsBusy => !Work.IsCompleted;

    public static async Task<ModelWorker> Hire(IServiceProvider services, ModelSandboxes sandboxes, Action<string> report, CancellationToken cancellationToken)
    {
        var hired = new ModelWorker(services, sandboxes, report);
        await hired.books.Execute(
            $"insert into workers (worker_id, host_id, version, lease_expires_at) values ({hired.WorkerId}, {hired.lease.HostId}, 'model', clock_timestamp() + interval '10 minutes')",
            cancellationToken);
        return hired;
    }

    /// <summary>Takes one execution, if there is one, and runs it to its end.</summary>
    public void Begin() => Work = TakeOne();

    public void Reap() => Work = UnlessDead(() => claims.Reap(stop.Token));

    public void Kill() => Gate.Die(stop.Cancel);

    /// <summary>Lets its time pass. A worker whose lease was ended learns it at a renewal, as the product's does, and stops.</summary>
    public void Tick(TimeSpan by)
    {
        Clock.Advance(by);
        if (!hasLostLease || (sinceLoss += by) < NoticeAfter)
            return;
        _ = term.End(lost: true);
        stop.Cancel();
    }

    /// <summary>In the database's time. Waits for as long as a write holds the lease.</summary>
    public async Task EndLease(CancellationToken cancellationToken)
    {
        await books.Execute($"update workers set lease_expires_at = clock_timestamp() - interval '1 second' where worker_id = {WorkerId}", cancellationToken);
        hasLostLease = true;
    }

    /// <summary>Offers what was stored last once more, as a driver that repeats a statement whose answer was lost. It must be refused.</summary>
    public async Task OfferAgain(ModelKeeper keeper, CancellationToken cancellationToken)
    {
        if (execution is null || keeper.Last is not { } last)
            return;
        var sandbox = await books.First(
            $"select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder from sandboxes where sandbox_id = {keeper.SandboxId}", SandboxRow.Read, cancellationToken);
        var observer = new TurnObserver(new ObservationOrigin(execution.ExecutionId, execution.ThreadKey, execution.AssignmentGeneration), new TurnTally(), execution.Ran, Clock);
        var batch = new FrameBatch(last.Turn ?? "", new BuiltInTranslator(), new TurnState(), observer, last.Seq - 1, Clock);
        batch.Add(last);
        try
        {
            await turns.Store(execution with { TurnId = last.Turn }, sandbox!, batch, cancellationToken);
            report("a batch that was offered again was stored again");
        }
        catch (FencedException)
        {
            // As it must be.
        }
    }

    public void Dispose()
    {
        stop.Dispose();
        term.Dispose();
        worker.Dispose();
        slots.Dispose();
        lease.Dispose();
    }

    Task TakeOne() => UnlessDead(async () =>
    {
        execution = await worker.TryClaim(slots, stop.Token);
        if (execution is not null)
            await worker.RunClaimed(slots, execution, term, stop.Token);
        execution = null;
    });

    async Task UnlessDead(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is ModelDeath || (stop.IsCancellationRequested && e is OperationCanceledException))
        {
            // Killed.
        }
        catch (NpgsqlException e) when (Outages.IsOutage(e))
        {
            // The reaper's connection was cut; it looks again later.
        }
    }

    /// <summary>With nothing but the commit left to do, the owner must still be the owner for everybody else.</summary>
    async Task CheckOwner(CrashPoint point)
    {
        if (execution is null || !point.Name.StartsWith("turn.", StringComparison.Ordinal))
            return;
        var (owner, generation, isAlive) = await books.First(
            $"""
            select worker_id, fencing_generation, exists (select 1 from workers w where w.worker_id = {WorkerId} and w.lease_expires_at > clock_timestamp())
            from agent_execution_requests where execution_id = {execution.ExecutionId}
            """,
            row => (row.IsDBNull(0) ? null : row.GetString(0), row.GetInt64(1), row.GetBoolean(2)),
            CancellationToken.None);
        if (!isAlive)
            report($"{point.Name} was about to be committed by a worker whose lease has ended");
        if (owner != WorkerId || generation != execution.FencingGeneration)
            report($"{point.Name} was about to be committed by a worker that owns the execution no more");
    }
}
