using Centaur.Protocol.Attach;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Sandboxes;

/// <summary>Gets a thread its sandbox and takes it away again. Postgres says which sandbox a thread has; the keeper says whether it lives.</summary>
internal sealed class SandboxLifecycle(SandboxStore store, SandboxReservations reservations, ISandboxBackend backend, SandboxOptions options, CrashPoints crash)
{
    static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The thread's sandbox, owned at a new fencing generation and attached after the last stored frame. One that died since is attached too, as a journal to
    /// read (phase dead): what its harness said before must not be lost.
    /// </summary>
    /// <exception cref="SandboxStartException">None can be started; the message is for people.</exception>
    /// <exception cref="SandboxBusyException">It cannot be had yet; a retry helps.</exception>
    /// <exception cref="IOException">The keeper went away during the attach, or has another owner.</exception>
    public async Task<OwnedSandbox> Acquire(string threadKey, CancellationToken cancellationToken)
    {
        var row = await store.Claim(threadKey, cancellationToken);
        if (row is null)
        {
            await reservations.Reserve(threadKey, cancellationToken);
            row = await store.Claim(threadKey, cancellationToken)
                ?? throw new SandboxBusyException("The thread's sandbox cannot be had yet: an earlier one is still being ended, or another worker has it.");
        }

        var stream = await Connect(row, cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.AnswerLimit);
        try
        {
            return new OwnedSandbox(row, await KeeperConnection.Attach(stream, crash, row.FencingGeneration, row.LastSeq, limit.Token));
        }
        catch (KeeperRefusedException e)
        {
            throw new IOException($"The keeper refused the attachment: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whoever comes next finds a journal to read instead, which ends the wait.
            await backend.Kill(row, cancellationToken);
            throw new IOException($"The keeper did not answer within {options.AnswerLimit.TotalSeconds:0} s and was killed.", e);
        }
    }

    /// <summary>
    /// Whether an unused sandbox has ended: its keeper is gone, or its jail is, and the keeper only has the journal left. The look takes the attachment at the generation that the row
    /// has: a worker that claims the sandbox meanwhile has a higher one, and is not disturbed.
    /// </summary>
    /// <exception cref="IOException">Its keeper does not answer.</exception>
    public async Task<bool> HasEnded(SandboxRow row, CancellationToken cancellationToken)
    {
        if (await backend.Running(row, cancellationToken) is not { } stream)
            return true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LookLimit);
        try
        {
            await using var keeper = await KeeperConnection.Attach(stream, crash, row.FencingGeneration, row.LastSeq, limit.Token);
            return keeper.Attached.Phase == KeeperPhases.Dead;
        }
        catch (KeeperRefusedException)
        {
            return false;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The keeper did not answer within {LookLimit.TotalSeconds:0} s.", e);
        }
    }

    /// <summary>What a dead sandbox's journal says last: one of <see cref="ExitCauses"/>, and a sentence for people.</summary>
    public async Task<(string Cause, string Message)> Obituary(OwnedSandbox sandbox, CancellationToken cancellationToken)
    {
        var said = (ExitCauses.Exited, "The sandbox ended and left no word why.");
        var at = sandbox.Row.LastSeq;
        while (at < sandbox.Keeper.Attached.LastSeq && await sandbox.Keeper.Frames.WaitToReadAsync(cancellationToken))
        {
            while (sandbox.Keeper.Frames.TryRead(out var frame))
            {
                at = frame.Seq;
                if (frame.Source == Frame.KeeperSource && frame.Event.TryGetProperty("cause", out var cause) && frame.Event.TryGetProperty("message", out var message))
                    said = (cause.GetString()!, message.GetString()!);
            }
        }
        return said;
    }

    /// <summary>Ends a sandbox and gives it up; the thread's folder stays for its next one. What is left of it is cleared up by whoever looks after the dead.</summary>
    /// <param name="sandbox">Owned and attached.</param>
    /// <param name="cause">One word: of <see cref="ExitCauses"/> or <see cref="SandboxCauses"/>.</param>
    /// <param name="text">The same as a sentence.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task Stop(OwnedSandbox sandbox, string cause, string text, CancellationToken cancellationToken)
    {
        await End(sandbox, cause, cancellationToken);
        await store.Bury(sandbox.Row, cause, text, cancellationToken);
    }

    /// <summary>Tells the keeper to end and waits until it has. One that does not within its time is ended by force: nothing of a sandbox may go on once it was given up.</summary>
    public async Task End(OwnedSandbox sandbox, string reason, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.AnswerLimit);
        try
        {
            await sandbox.Keeper.Tell(new StopSandbox(reason), limit.Token);
            await sandbox.Keeper.Ended(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await backend.Kill(sandbox.Row, cancellationToken);
        }
        catch (IOException)
        {
            // It is gone already, which is what was wanted.
        }
    }

    async Task<Stream> Connect(SandboxRow row, CancellationToken cancellationToken)
    {
        try
        {
            return await backend.Connect(row, cancellationToken);
        }
        catch (SandboxStartException e)
        {
            // It never ran: the next try, of this turn or of another, begins with a new one.
            await store.Bury(row, ExitCauses.StartFailed, e.Message, cancellationToken);
            throw;
        }
    }
}

/// <summary>The thread's sandbox is in other hands for a moment. A retry helps.</summary>
internal sealed class SandboxBusyException(string message) : Exception(message);
