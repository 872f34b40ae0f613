using Centaur.Protocol.Attach;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Secrets;

namespace Centaur.Server.Sandboxes.Ending;

/// <summary>
/// Takes a sandbox from "told to end" to "nothing is left of it".
/// <code>
///   stopping ─▶ 1 take over ─▶ 2 read its last words ─▶ 3 stop ─▶ 4 bury ─▶ dead ─▶ 5 clear
/// </code>
/// 1. The fencing generation rises, so a worker that runs a turn in it is fenced. 2. A keeper that is dead left a journal, whose last frame says why. 3. A keeper
/// that lives is told to stop. 4. The row says why it ended. 5. What still runs is ended, files and grants go. Killed anywhere, the next look repeats the step.
/// </summary>
internal sealed class SandboxEnding(
    EndingStore store, SandboxStore sandboxes, SandboxLifecycle lifecycle, ISandboxBackend backend, BrokerClient broker, SandboxOptions options, CrashPoints crash, ILogger<SandboxEnding> log)
{
    /// <exception cref="IOException">Its keeper has another owner; it is tried again.</exception>
    public async Task End(SandboxRow seen, CancellationToken cancellationToken)
    {
        // 1.
        if (await store.TakeOver(seen, cancellationToken) is not { } row)
            return;
        var (cause, text) = (ExitCauses.Stopped, "The sandbox was stopped.");
        try
        {
            if (await backend.Reach(row, cancellationToken) is { } stream)
                (cause, text) = await Stop(row, stream, cancellationToken);
        }
        catch (SandboxStartException e)
        {
            // The journal of a keeper that died cannot be read.
            (cause, text) = (ExitCauses.Killed, $"The sandbox ended, and its journal cannot be read: {e.Message}");
        }
        // 4.
        if (await sandboxes.Bury(row, cause, text, cancellationToken))
            log.Ended(row.SandboxId, row.ThreadKey ?? "(spare)", cause);
    }

    /// <summary>Step 5. The audit of what left the sandbox stays; so does the folder of a thread, but not that of a spare, which is nobody's.</summary>
    /// <exception cref="BrokerException">The grants could not be withdrawn; it is tried again.</exception>
    public async Task Clear(SandboxRow row, CancellationToken cancellationToken)
    {
        await Sweep(row, cancellationToken);
        if (row.ThreadKey is null)
            await backend.RemoveFolder(row.Folder, cancellationToken);
        await store.Cleared(row, cancellationToken);
    }

    /// <summary>Ends the keeper of a sandbox that no row knows, found by its folder, and removes its files.</summary>
    public async Task ClearOrphan(string sandboxId, CancellationToken cancellationToken)
    {
        log.Orphan(sandboxId);
        var row = new SandboxRow(sandboxId, null, "dead", long.MaxValue, 0, 0, null, "");
        await Sweep(row, cancellationToken);
        await backend.Forget(sandboxId, cancellationToken);
    }

    async Task Sweep(SandboxRow row, CancellationToken cancellationToken)
    {
        if (await backend.Running(row, cancellationToken) is { } stream)
            await Stop(row, stream, cancellationToken);
        await broker.Revoke(row.SandboxId, cancellationToken);
        await backend.Remove(row, cancellationToken);
    }

    /// <summary>Steps 2 and 3. A keeper that goes away in the middle has ended, which is what was wanted.</summary>
    async Task<(string Cause, string Text)> Stop(SandboxRow row, Stream stream, CancellationToken cancellationToken)
    {
        var stopped = (ExitCauses.Stopped, "The sandbox was stopped.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.AnswerLimit);
        try
        {
            await using var sandbox = new OwnedSandbox(row, await KeeperConnection.Attach(stream, crash, row.FencingGeneration, row.LastSeq, limit.Token));
            // 2.
            var said = sandbox.Keeper.Attached.Phase == KeeperPhases.Dead ? await lifecycle.Obituary(sandbox, limit.Token) : stopped;
            // 3.
            await lifecycle.End(sandbox, said.Item1, limit.Token);
            return said;
        }
        catch (KeeperRefusedException e)
        {
            throw new IOException($"The keeper has another owner: {e.Message}", e);
        }
        catch (IOException) when (!limit.IsCancellationRequested)
        {
            return stopped;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await backend.Kill(row, cancellationToken);
            return (ExitCauses.Killed, $"The sandbox's keeper did not answer for {options.AnswerLimit.TotalSeconds:0} s and was killed.");
        }
    }
}
