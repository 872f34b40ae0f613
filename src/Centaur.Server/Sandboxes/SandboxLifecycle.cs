using Centaur.Protocol.Attach;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Sandboxes;

/// <summary>Gets a thread its sandbox and takes it away again. Postgres says which sandbox a thread has; the keeper says whether it lives.</summary>
internal sealed class SandboxLifecycle(SandboxStore store, SandboxReservations reservations, ISandboxBackend backend, CrashPoints crash)
{
    /// <summary>
    /// The thread's sandbox, owned at a new fencing generation and attached after the last stored frame. One that died since is attached too, as a journal to
    /// read (phase dead): what its harness said before must not be lost.
    /// </summary>
    /// <exception cref="SandboxStartException">None can be started; the message is for people.</exception>
    /// <exception cref="IOException">The keeper went away during the attach.</exception>
    public async Task<OwnedSandbox> Acquire(string threadKey, CancellationToken cancellationToken)
    {
        var row = await store.Claim(threadKey, cancellationToken);
        if (row is null)
        {
            await reservations.Reserve(threadKey, cancellationToken);
            row = await store.Claim(threadKey, cancellationToken)
                ?? throw new IOException("The sandbox that was reserved for the thread was taken by another worker.");
        }

        var stream = await Connect(row, cancellationToken);
        return new OwnedSandbox(row, await KeeperConnection.Attach(stream, crash, row.FencingGeneration, row.LastSeq, cancellationToken));
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

    /// <summary>Ends a sandbox; the thread's folder stays for its next one.</summary>
    public async Task Stop(OwnedSandbox sandbox, string cause, CancellationToken cancellationToken)
    {
        try
        {
            await sandbox.Keeper.Tell(new StopSandbox(cause), cancellationToken);
            await sandbox.Keeper.Ended(cancellationToken);
        }
        catch (IOException)
        {
            // It is gone already, which is what was wanted.
        }
        await store.Bury(sandbox.Row, cause, cancellationToken);
        await backend.Remove(sandbox.Row, cancellationToken);
    }

    async Task<Stream> Connect(SandboxRow row, CancellationToken cancellationToken)
    {
        try
        {
            return await backend.Connect(row, cancellationToken);
        }
        catch (SandboxStartException)
        {
            // It never ran: the next try, of this turn or of another, begins with a new one.
            await store.Bury(row, "start_failed", cancellationToken);
            throw;
        }
    }
}
