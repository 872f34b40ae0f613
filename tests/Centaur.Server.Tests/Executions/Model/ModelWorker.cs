using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// One worker of a random run: the product's own statements about claims, turns and sandboxes, driven step by step, so that it can be killed or paused between any two.
/// </summary>
internal sealed class ModelWorker : IDisposable
{
    readonly PostgresDatabase database;
    readonly ExecutionClaims claims;
    readonly TurnStore turns;
    readonly SandboxStore sandboxes;
    readonly WorkerLease lease;
    ClaimedExecution? execution;
    SandboxRow? sandbox;
    FrameBatch? batch;

    ModelWorker(IServiceProvider services)
    {
        database = services.GetRequiredService<PostgresDatabase>();
        var wakeUps = services.GetRequiredService<WakeUps>();
        lease = new WorkerLease(
            database, services.GetRequiredService<LeaseOptions>(), services.GetRequiredService<HostIdentity>(), services.GetRequiredService<Readiness>(), TimeProvider.System,
            NullLogger<WorkerLease>.Instance);
        claims = new ExecutionClaims(database, lease, services.GetRequiredService<ExecutionOptions>(), wakeUps);
        sandboxes = new SandboxStore(database, lease, wakeUps);
        turns = new TurnStore(
            database, claims, services.GetRequiredService<EventStore>(), services.GetRequiredService<FollowUps>(), services.GetRequiredService<DeliveryOutbox>(),
            services.GetRequiredService<SandboxReservations>(), services.GetRequiredService<OriginStore>(),
            services.GetRequiredService<ExecutionOptions>());
    }

    public bool IsBusy => execution is not null;

    public static async Task<ModelWorker> Start(IServiceProvider services, CancellationToken cancellationToken)
    {
        var worker = new ModelWorker(services);
        await worker.database.Execute(
            $"insert into workers (worker_id, host_id, version, lease_expires_at) values ({worker.lease.WorkerId}, {worker.lease.HostId}, 'model', clock_timestamp() + interval '10 minutes')",
            cancellationToken);
        return worker;
    }

    public async Task EndLease(CancellationToken cancellationToken)
    {
        await database.Execute($"update workers set lease_expires_at = clock_timestamp() - interval '1 second' where worker_id = {lease.WorkerId}", cancellationToken);
    }

    public Task Reap(CancellationToken cancellationToken) => claims.Reap(cancellationToken);

    /// <summary>Takes an execution, its sandbox, and makes the turn durable; any of the three may be refused.</summary>
    /// <returns>False where there was nothing to take.</returns>
    public async Task<bool> Claim(CancellationToken cancellationToken)
    {
        try
        {
            execution = await claims.Claim(workflows: true, cancellationToken);
        }
        catch (Npgsql.PostgresException e) when (e.SqlState == Npgsql.PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
        if (execution is null)
            return false;
        if (execution.Status == ExecutionStatus.CancelRequested && execution.TurnId is null)
        {
            await End(ExecutionStatus.Cancelled, cancellationToken);
            return true;
        }
        sandbox = (await sandboxes.Claim(execution.ThreadKey, cancellationToken)).ShouldNotBeNull("every thread of the model has its sandbox");
        var turn = await turns.Prepare(execution, sandbox, "codex", $"turn-{Guid.CreateVersion7():N}"[..21], cancellationToken);
        execution = execution with { TurnId = turn.TurnId, Attempts = turn.Attempts };
        var observer = new TurnObserver(
            new ObservationOrigin(execution.ExecutionId, execution.ThreadKey, execution.AssignmentGeneration), execution.Turn.Tally ?? new TurnTally(), execution.Ran, TimeProvider.System);
        batch = new FrameBatch(turn.TurnId, new CodexTranslator(), execution.Turn, observer, sandbox.LastSeq, TimeProvider.System);
        return true;
    }

    /// <summary>Stores the next frame of the harness, with its number in its text. Sometimes the same batch is offered twice.</summary>
    public async Task Emit(bool twice, CancellationToken cancellationToken)
    {
        var seq = batch!.StoredSeq + 1;
        using var json = JsonDocument.Parse($$"""{"type":"turn.plan.updated","frame":{{seq}}}""");
        batch.Add(new Frame { Seq = seq, Turn = execution!.TurnId, Event = json.RootElement.Clone() });
        await turns.Store(execution, sandbox!, batch, cancellationToken);
        if (twice)
            await Should.ThrowAsync<FencedException>(() => turns.Store(execution, sandbox!, batch, cancellationToken));
        batch.Stored();
    }

    /// <summary>Ends the turn as its harness did, or as its author wished.</summary>
    public async Task Finish(bool well, CancellationToken cancellationToken)
    {
        var status = await turns.Status(execution!, cancellationToken);
        await End(status == ExecutionStatus.CancelRequested ? ExecutionStatus.Cancelled : well ? ExecutionStatus.Completed : ExecutionStatus.FailedPermanent, cancellationToken);
    }

    /// <summary>It wakes after others took over and goes on as if nothing had been: every write must be refused.</summary>
    public async Task WriteStale(CancellationToken cancellationToken)
    {
        await Should.ThrowAsync<FencedException>(() => turns.Tell(execution!, "I am still here", cancellationToken));
        await Should.ThrowAsync<FencedException>(() => End(ExecutionStatus.Completed, cancellationToken));
        if (batch is not null)
            await Should.ThrowAsync<FencedException>(() => Emit(twice: false, cancellationToken));
    }

    public void Dispose() => lease.Dispose();

    async Task End(string status, CancellationToken cancellationToken)
    {
        var terminal = status switch
        {
            ExecutionStatus.Completed => new TerminalState(status, TerminalReasons.Completed, "done", null, new Jsonb("{}")),
            ExecutionStatus.Cancelled => new TerminalState(status, TerminalReasons.CancelRequested, null, "cancelled", new Jsonb("{}")),
            _ => new TerminalState(status, TerminalReasons.HarnessError, null, "it failed", new Jsonb("{}")),
        };
        await turns.Finish(execution!, batch?.State ?? new TurnState(), terminal, cancellationToken);
        (execution, sandbox, batch) = (null, null, null);
    }
}
