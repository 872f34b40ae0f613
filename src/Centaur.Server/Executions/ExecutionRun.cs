using System.Security.Cryptography;
using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Events;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Recovery;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions;

/// <summary>
/// Runs one claimed execution to its end.
/// <code>
///   1 acquire sandbox ─▶ 2 prepare turn ─▶ 3 deliver ─▶ 4 pump frames ─▶ 5 finish
///         ▲                                    │
///         └── attachment broke, or the sandbox died and an attempt is left ──┘
/// </code>
/// 1. The thread's sandbox is claimed at a new fencing generation and its keeper attached at the last stored frame. 2. The turn is made durable, or found
/// again. 3. Policy, identity and turn are offered; a keeper that had them takes nothing twice. 4. Frames become events until the turn ends. 5. The terminal
/// events and the answer commit together. Killed anywhere, the next owner enters at 1 and repeats only what repeating does not change. A stream that breaks again
/// and again without progress gives the execution back (<c>retry_wait</c>), so that it holds no place and another worker may have better luck.
/// </summary>
internal sealed class ExecutionRun(
    TurnStore store,
    RecoveryStore recovery,
    OriginStore origins,
    SandboxLifecycle lifecycle,
    TurnDelivery delivery,
    TurnSteering steering,
    HarnessCatalog harnesses,
    QuarantinedLines quarantined,
    LiveDeltas live,
    WakeUps wakeUps,
    ExecutionOptions options,
    TimeProvider time,
    ILogger<ExecutionRun> log)
{
    /// <summary>Returns when the execution has ended, or was given back for a later try.</summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public async Task Run(ClaimedExecution claimed, CancellationToken stoppingToken)
    {
        var state = new RunState(time.GetTimestamp());
        while (true)
        {
            try
            {
                if (await Step(claimed, state, stoppingToken))
                    return;
            }
            catch (Exception e) when (Outages.IsOutage(e))
            {
                // Nothing can be said of the execution until the database answers; the lease ends the work if it takes too long.
                log.DatabaseUnreachable(e.Message);
                await Task.Delay(options.ReattachPause, time, stoppingToken);
            }
            catch (Exception e) when (e is not FencedException && !stoppingToken.IsCancellationRequested)
            {
                // One turn that the server cannot run must not end the server, nor be met again after each restart.
                log.Faulted(claimed.ExecutionId, e);
                var ours = Failed(TerminalReasons.ExecutionError, "The server could not run this turn because of a fault of its own; its log says which.", new Jsonb("{}"));
                await store.Finish(await store.Refresh(claimed, stoppingToken), new TurnState(), ours, stoppingToken);
                return;
            }
        }
    }

    /// <returns>True where there is nothing more to do.</returns>
    async Task<bool> Step(ClaimedExecution claimed, RunState state, CancellationToken stoppingToken)
    {
        var execution = await store.Refresh(claimed, stoppingToken);
        var overdue = claimed.Ran + time.GetElapsedTime(state.Began) > options.Hard;
        try
        {
            var attempted = await Attempt(execution, stoppingToken);
            if (attempted.Terminal is { } terminal)
                await Finish(attempted.Execution, terminal, stoppingToken);
            return attempted.IsOver;
        }
        catch (SandboxBusyException e) when (!overdue)
        {
            log.SandboxBusy(execution.ExecutionId, e.Message);
            await Task.Delay(options.ReattachPause, time, stoppingToken);
            return false;
        }
        catch (Exception e) when (e is IOException or JsonException or SandboxBusyException)
        {
            log.AttachmentBroke(execution.ExecutionId, e.Message);
            state.Breaks = await recovery.Broke(execution, stoppingToken) ? 1 : state.Breaks + 1;
        }

        if (overdue)
        {
            await Finish(execution, HardDeadline(new Jsonb("{}")) with { GiveUpSandbox = SandboxCauses.Unreachable }, stoppingToken);
            return true;
        }
        if (state.Breaks <= options.ReattachMost)
        {
            await Task.Delay(options.ReattachPause, time, stoppingToken);
            return false;
        }
        if (execution.Status == ExecutionStatus.CancelRequested)
            await Finish(execution, Cancelled(new Jsonb("{}")) with { GiveUpSandbox = SandboxCauses.Unreachable }, stoppingToken);
        else
            await recovery.Wait(execution, stoppingToken);
        return true;
    }

    async Task Finish(ClaimedExecution execution, TerminalState terminal, CancellationToken stoppingToken)
    {
        await store.Finish(execution, execution.Turn, terminal, stoppingToken);
        wakeUps.Raise(Topics.Turns);
        log.Ended(execution.ExecutionId, terminal.Status, terminal.Reason);
    }

    /// <summary>One sandbox's try. Without a terminal state there is another try to be made, with what is known now.</summary>
    async Task<Attempted> Attempt(ClaimedExecution execution, CancellationToken stoppingToken)
    {
        // To cancel what has begun nowhere, or whose sandbox was stopped, no sandbox is started.
        if (execution.Status == ExecutionStatus.CancelRequested && (execution.TurnId is null || !await store.HasSandbox(execution.ThreadKey, stoppingToken)))
            return new Attempted(execution, Cancelled(new Jsonb("{}")));
        if (await origins.Active(execution, stoppingToken) is not { Harness: { } name } origin)
            return new Attempted(execution, Failed(TerminalReasons.AssignmentMissing, "The thread's assignment was released before this execution ran.", new Jsonb("{}")));

        var metadata = new Jsonb("{}");
        try
        {
            var harness = await harnesses.Ready(name, message => store.Tell(execution, message, stoppingToken), stoppingToken);
            metadata = new Jsonb($$"""{"harness":{{JsonSerializer.Serialize(harness.Name)}},"harness_version":{{JsonSerializer.Serialize(harness.Version)}}}""");
            await using var sandbox = await lifecycle.Acquire(execution.ThreadKey, stoppingToken);
            if (sandbox.Keeper.Attached.Phase == KeeperPhases.Dead && execution.TurnId is null)
            {
                // It died between turns; this one begins on another and has lost nothing. One that never lived would only fail again.
                var (cause, message) = await lifecycle.Obituary(sandbox, stoppingToken);
                await lifecycle.Stop(sandbox, cause, message, stoppingToken);
                return new Attempted(execution, cause == ExitCauses.StartFailed ? Failed(TerminalReasons.ExecutionError, message, metadata) : null);
            }
            var turn = await store.Prepare(execution, sandbox.Row, harness.Name, NewTurnId(), stoppingToken);
            execution = execution with
            {
                TurnId = turn.TurnId,
                Turn = turn.BeginsAnew ? new TurnState() : execution.Turn,
                Attempts = turn.Attempts,
            };
            if (turn.Attempts > options.MaxAttempts)
                return new Attempted(execution, Failed(TerminalReasons.StreamEnded, "The sandbox ended under the turn, and again under its second attempt.", metadata));

            var observer = new TurnObserver(origin, execution.Turn.Tally ?? new TurnTally(), execution.Ran, time);
            var batch = new FrameBatch(turn.TurnId, harness.Translator, execution.Turn, observer, sandbox.Row.LastSeq, time);
            var pump = new TurnPump(execution, sandbox, batch, store, live, quarantined, wakeUps, options, time);
            var end = await Drive(execution, sandbox, turn, harness, pump, stoppingToken);
            execution = execution with { Turn = pump.State };
            return await Conclude(execution, sandbox, end, metadata, stoppingToken);
        }
        catch (NothingSaidException)
        {
            const string text = "Nothing was said to the agent: no message was posted for this execution, or another turn had it. Post one, then execute again.";
            return new Attempted(execution, new TerminalState(ExecutionStatus.Cancelled, TerminalReasons.Cancelled, null, text, metadata));
        }
        catch (Exception e) when (e is SandboxStartException or HarnessUnavailableException or TurnRefusedException)
        {
            return new Attempted(execution, Failed(TerminalReasons.ExecutionError, e.Message, metadata));
        }
    }

    /// <summary>Delivers and pumps at once: a journal that is being replayed must be read for the keeper's answers to arrive.</summary>
    async Task<PumpEnd> Drive(
        ClaimedExecution execution, OwnedSandbox sandbox, PreparedTurn turn, ReadyHarness harness, TurnPump pump, CancellationToken stoppingToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var pumping = pump.Run(attempt.Token);
        try
        {
            if (sandbox.Keeper.Attached.Phase != KeeperPhases.Dead)
                await delivery.Deliver(execution, sandbox, turn, harness, attempt.Token);
        }
        catch when (!pumping.IsCompletedSuccessfully)
        {
            await attempt.CancelAsync();
            await ((Task)pumping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        var steered = steering.Run(execution with { TurnId = turn.TurnId }, sandbox, attempt.Token);
        try
        {
            // Steering goes on for as long as the turn does: where it ends first it has failed, and the attempt with it.
            await await Task.WhenAny(pumping, steered);
            return await pumping;
        }
        finally
        {
            await attempt.CancelAsync();
            await Task.WhenAll(pumping, steered).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <exception cref="IOException">The keeper closed the attachment, and the turn has not ended.</exception>
    async Task<Attempted> Conclude(
        ClaimedExecution execution, OwnedSandbox sandbox, PumpEnd end, Jsonb metadata, CancellationToken stoppingToken)
    {
        switch (end)
        {
            case PumpEnd.Cancelled:
                return new Attempted(execution, Cancelled(metadata));
            case PumpEnd.SilenceDeadline:
                await lifecycle.Stop(sandbox, SandboxCauses.Silence, SandboxCauses.Sentence(SandboxCauses.Silence), stoppingToken);
                return new Attempted(execution, Failed(TerminalReasons.SilenceDeadline, "The harness said nothing for too long and was stopped.", metadata));
            case PumpEnd.HardDeadline:
                await lifecycle.Stop(sandbox, SandboxCauses.Deadline, SandboxCauses.Sentence(SandboxCauses.Deadline), stoppingToken);
                return new Attempted(execution, HardDeadline(metadata));
            case PumpEnd.StreamEnded:
                // The keeper went away or another attachment took over: attach again and see what is there.
                throw new IOException("The keeper closed the attachment.");
        }

        var outcome = execution.Turn.Outcome ?? new TurnOutcome(Succeeded: false, "The sandbox ended before the turn reached its harness.", ExitCauses.Exited);
        if (outcome.Succeeded)
            return new Attempted(execution, new TerminalState(ExecutionStatus.Completed, TerminalReasons.Completed, execution.Turn.ResultText ?? "", null, metadata));
        if (outcome.Cause is null)
            return await AfterFailure(execution, outcome.Error!, metadata, stoppingToken);

        log.SandboxDied(sandbox.Row.SandboxId, execution.ExecutionId, outcome.Cause);
        await lifecycle.Stop(sandbox, outcome.Cause, outcome.Error ?? SandboxCauses.Sentence(outcome.Cause), stoppingToken);
        if (execution.Attempts >= options.MaxAttempts)
            return new Attempted(execution, Failed(TerminalReasons.StreamEnded, outcome.Error!, metadata));
        await store.Tell(execution, $"{outcome.Error} The turn is tried once more in a new sandbox.", stoppingToken);
        return new Attempted(execution);
    }

    /// <summary>The harness lives and says that the turn has failed.</summary>
    async Task<Attempted> AfterFailure(ClaimedExecution execution, string error, Jsonb metadata, CancellationToken stoppingToken)
    {
        switch (HarnessFailure.Of(error))
        {
            case HarnessFailureKind.UserCancelled:
                return new Attempted(execution, Cancelled(metadata) with { Reason = TerminalReasons.Cancelled });
            case HarnessFailureKind.ReconnectTimedOut:
                return new Attempted(execution, Failed(TerminalReasons.ReconnectTimeout, error, metadata));
            case HarnessFailureKind.AuthRefused when HarnessRetry.AfterAuthRefused(execution, error) is { } retry:
                log.TriedAgain(execution.ExecutionId, retry.Reason);
                await recovery.Retry(execution, retry, stoppingToken);
                return new Attempted(execution) { GivenBack = true };
            case HarnessFailureKind.AuthRefused:
                return new Attempted(execution, Failed(TerminalReasons.HarnessAuthFailed, HarnessFailure.AuthRefusedText, metadata));
            default:
                return new Attempted(execution, Failed(TerminalReasons.HarnessError, error, metadata));
        }
    }

    static TerminalState Cancelled(Jsonb metadata) =>
        new(ExecutionStatus.Cancelled, TerminalReasons.CancelRequested, null, "cancelled", metadata);

    TerminalState HardDeadline(Jsonb metadata) =>
        Failed(TerminalReasons.HardDeadline, $"The turn took longer than {options.Hard.TotalMinutes:0} minutes and was stopped.", metadata);

    static TerminalState Failed(string reason, string error, Jsonb metadata) => new(ExecutionStatus.FailedPermanent, reason, null, error, metadata);

    static string NewTurnId() => "turn-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    sealed record Attempted(ClaimedExecution Execution, TerminalState? Terminal = null)
    {
        /// <summary>The execution is somebody else's to go on with.</summary>
        public bool GivenBack { get; init; }

        /// <summary>Without an end and not given back there is another try to be made at once, with what is known now.</summary>
        public bool IsOver => Terminal is not null || GivenBack;
    }

    /// <param name="Began">When this run began.</param>
    sealed record RunState(long Began)
    {
        /// <summary>How often in a row the stream broke without progress of the turn.</summary>
        public int Breaks { get; set; }
    }
}
