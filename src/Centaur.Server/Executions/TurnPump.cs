using Centaur.Protocol.Attach;
using Centaur.Server.Events;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions;

/// <summary>
/// Carries one turn's frames from the keeper into the event log until the turn ends.
/// <code>
///   keeper ──frames──▶ 1 translate ──▶ 2 join deltas ──▶ 3 store (fenced, one transaction) ──▶ 4 ack
///                            └── live deltas, at once, to readers of this process
/// </code>
/// 1. Each frame becomes a canonical event, a delta, or nothing. 2. Deltas wait a moment for their neighbours. 3. Events, turn state and the sandbox's
/// cursor commit together, so a frame is stored once wherever we are killed. 4. Only then may the keeper forget.
/// </summary>
internal sealed class TurnPump(
    ClaimedExecution execution, OwnedSandbox sandbox, FrameBatch batch, TurnStore store, LiveDeltas live, QuarantinedLines quarantined, WakeUps wakeUps, ExecutionOptions options, TimeProvider time)
{
    const int FramesAtOnce = 512;
    const long CharactersAtOnce = 4 << 20;

    readonly long began = time.GetTimestamp();
    long seen = sandbox.Row.LastSeq;
    long heard = time.GetTimestamp();
    long? cancelled;

    public TurnState State => batch.State;

    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public async Task<PumpEnd> Run(CancellationToken cancellationToken)
    {
        using var watch = wakeUps.Watch(Topics.Executions);
        var frames = sandbox.Keeper.Frames;
        Task<bool>? readable = null;
        var looked = time.GetTimestamp();
        while (batch.State.Outcome is null && !ReadToItsEnd)
        {
            var woken = watch.Next();
            readable ??= frames.WaitToReadAsync(cancellationToken).AsTask();
            if (!readable.IsCompleted)
                await Pause(readable, woken, cancellationToken);
            if (readable.IsCompleted)
            {
                if (!await readable)
                {
                    await Flush(everything: true, cancellationToken);
                    return batch.State.Outcome is null ? PumpEnd.StreamEnded : PumpEnd.TurnEnded;
                }
                readable = null;
                Take();
            }

            var ending = batch.State.Outcome is not null || sandbox.Keeper.Attached.Phase == KeeperPhases.Dead;
            var status = await Flush(ending, cancellationToken);
            if (status is null && (woken.IsCompleted || time.GetElapsedTime(looked) >= options.Poll))
                status = await store.Status(execution, cancellationToken);
            if (status is not null)
                looked = time.GetTimestamp();
            if (status == ExecutionStatus.CancelRequested && cancelled is null)
                await Interrupt(cancellationToken);
            if (Overdue() is { } end)
                return end;
        }
        if (cancelled is not null)
            return PumpEnd.Cancelled;
        return batch.State.Outcome is null ? PumpEnd.SandboxGone : PumpEnd.TurnEnded;
    }

    /// <summary>A dead sandbox's journal has an end, and nothing comes after it.</summary>
    bool ReadToItsEnd => sandbox.Keeper.Attached is { Phase: KeeperPhases.Dead, LastSeq: var last } && batch.StoredSeq >= last;

    void Take()
    {
        heard = time.GetTimestamp();
        for (var n = 0; n < FramesAtOnce && batch.Characters < CharactersAtOnce && batch.State.Outcome is null && sandbox.Keeper.Frames.TryRead(out var frame); n++)
        {
            quarantined.Look(frame);
            seen = frame.Seq;
            if (batch.Add(frame) is { } delta)
                live.Publish(execution.ThreadKey, execution.ExecutionId, EventKinds.Harness, delta);
        }
    }

    /// <summary>Stores what may be stored. Null when there was nothing.</summary>
    async Task<string?> Flush(bool everything, CancellationToken cancellationToken)
    {
        if (everything || batch.OpenFor >= options.DeltaPause || batch.OpenCharacters >= options.DeltaCharacters)
            batch.CloseDelta();
        if (!batch.HasClosed)
            return null;
        var status = await store.Store(execution, sandbox.Row, batch, cancellationToken);
        batch.Stored();
        if (sandbox.Keeper.Attached.Phase != KeeperPhases.Dead)
            await Acknowledge(cancellationToken);
        return status;
    }

    async Task Acknowledge(CancellationToken cancellationToken)
    {
        try
        {
            await sandbox.Keeper.Tell(new FrameAck(batch.StoredSeq), cancellationToken);
        }
        catch (IOException)
        {
            // The keeper is gone; the end of the stream says so too, after the frames that it still sent.
        }
    }

    async Task Interrupt(CancellationToken cancellationToken)
    {
        cancelled = time.GetTimestamp();
        if (execution.TurnId is { } turn)
            await sandbox.Keeper.Tell(new InterruptTurn(turn, (int)options.InterruptGrace.TotalMilliseconds), cancellationToken);
    }

    PumpEnd? Overdue()
    {
        if (batch.State.Outcome is not null)
            return null;
        // The keeper kills the harness when the grace is over; as much again is for its last words.
        if (cancelled is { } at && time.GetElapsedTime(at) > options.InterruptGrace * 2)
            return PumpEnd.Cancelled;
        // What was said while nobody listened may be the turn's end: it is read first.
        if (execution.Ran + time.GetElapsedTime(began) > options.Hard && seen >= sandbox.Keeper.Attached.LastSeq)
            return PumpEnd.HardDeadline;
        var silence = batch.State.OpenTools > 0 ? options.ToolSilence : options.Silence;
        return time.GetElapsedTime(heard) > silence ? PumpEnd.SilenceDeadline : null;
    }

    async Task Pause(Task readable, Task woken, CancellationToken cancellationToken)
    {
        var most = batch.HasOpenDelta ? options.DeltaPause - batch.OpenFor : options.Poll;
        if (most <= TimeSpan.Zero)
            return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(readable, woken, Task.Delay(most, time, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}

/// <summary>How a pump came to its end.</summary>
internal enum PumpEnd
{
    /// <summary>The turn's state has its outcome.</summary>
    TurnEnded,

    /// <summary>The keeper closed the attachment and the turn goes on, or its end is not known.</summary>
    StreamEnded,

    /// <summary>The sandbox died and its journal does not know the turn: it was never delivered.</summary>
    SandboxGone,
    Cancelled,
    SilenceDeadline,
    HardDeadline,
}
