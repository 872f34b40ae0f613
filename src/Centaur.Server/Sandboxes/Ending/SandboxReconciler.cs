using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Secrets;

namespace Centaur.Server.Sandboxes.Ending;

/// <summary>
/// Makes this host's sandboxes what the table says, for as long as the worker's lease is held. Two loops: one is woken and ends what was told to end; one looks
/// around now and then for what nobody tells of:
/// <para>1. a sandbox whose keeper or jail is gone while no execution wants it: its thread is suspended;</para>
/// <para>2. a sandbox that was not used for longer than its time: the same;</para>
/// <para>3. the sandboxes of a host that is gone: given up, so that their threads can go on elsewhere;</para>
/// <para>4. an assignment whose thread nobody has used for as long: released;</para>
/// <para>5. records that were kept long enough: forgotten;</para>
/// <para>6. keepers and folders without a row: ended and removed.</para>
/// </summary>
internal sealed class SandboxReconciler(
    EndingStore store, ForgettingStore forgetting, SandboxEnding ending, SandboxLifecycle lifecycle, ISandboxBackend backend, WorkerLease lease, WakeUps wakeUps, SandboxOptions options,
    TimeProvider time, ILogger<SandboxReconciler> log) : BackgroundService
{
    const int AtOnce = 4;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        try
        {
            List<Task> loops = [EndWanted(stoppingToken), LookAround(stoppingToken)];
            // A loop that ends is a fault, unless it was told to: the first one's exception stops the process.
            await await Task.WhenAny(loops);
            await Task.WhenAll(loops);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The term is over.
        }
    }

    async Task EndWanted(CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(Topics.Sandboxes);
        while (true)
        {
            var woken = watch.Next();
            await ForEach(store.Stopping, ending.End, row => row.SandboxId, stoppingToken);
            await ForEach(store.Uncleared, ending.Clear, row => row.SandboxId, stoppingToken);
            await watch.Wait(woken, options.Reconcile, stoppingToken);
        }
    }

    async Task LookAround(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Reconcile, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // 1. to 6.
            await ForEach(store.Unused, SuspendIfGone, row => row.SandboxId, stoppingToken);
            await ForEach(store.Idle, (row, token) => store.Suspend(row, SandboxCauses.Idle, token), row => row.SandboxId, stoppingToken);
            await ForEach(store.OfGoneHosts, GiveUp, row => row.SandboxId, stoppingToken);
            await ForEach(forgetting.IdleAssignments, Release, thread => thread, stoppingToken);
            await ForEach(forgetting.Expired, Forget, row => row.SandboxId, stoppingToken);
            await ForEach(forgetting.ExpiredSessions, forgetting.ForgetSession, thread => thread, stoppingToken);
            if (options.RemoveFolders)
                await ForEach(forgetting.ExpiredFolders, RemoveFolder, folder => folder.Folder, stoppingToken);
            await ForEach(Orphans, ending.ClearOrphan, id => id, stoppingToken);
        }
    }

    async Task SuspendIfGone(SandboxRow row, CancellationToken cancellationToken)
    {
        if (await lifecycle.HasEnded(row, cancellationToken))
            await store.Suspend(row, cause: null, cancellationToken);
    }

    async Task GiveUp(SandboxRow row, CancellationToken cancellationToken)
    {
        if (await store.GiveUp(row, cancellationToken))
            log.GivenUp(row.SandboxId, row.ThreadKey ?? "(spare)");
    }

    async Task Forget(SandboxRow row, CancellationToken cancellationToken)
    {
        await backend.Forget(row.SandboxId, cancellationToken);
        await forgetting.Forget(row, cancellationToken);
    }

    async Task Release(string threadKey, CancellationToken cancellationToken)
    {
        if (await forgetting.ReleaseIdle(threadKey, cancellationToken))
            log.AssignmentReleased(threadKey);
    }

    Task RemoveFolder(RestingFolder folder, CancellationToken cancellationToken) =>
        forgetting.ForgetFolder(folder, () => backend.RemoveFolder(folder.Folder, cancellationToken), cancellationToken);

    /// <summary>The folders are read before the rows: a row is there before its folder. And once more after them: one that was cleared meanwhile is no orphan.</summary>
    async Task<IReadOnlyList<string>> Orphans(CancellationToken cancellationToken)
    {
        var found = backend.Found();
        var unknown = found.Except(await store.Known(found, cancellationToken), StringComparer.Ordinal).ToList();
        return unknown.Count == 0 ? unknown : unknown.Intersect(backend.Found(), StringComparer.Ordinal).ToList();
    }

    /// <summary>What goes wrong with one is told and tried again at the next look; the others do not wait for it.</summary>
    async Task ForEach<T>(
        Func<CancellationToken, Task<IReadOnlyList<T>>> find, Func<T, CancellationToken, Task> act, Func<T, string> name, CancellationToken stoppingToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                await find(stoppingToken),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
                async (item, token) => await Try(item, act, name, token));
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.NotReconciled(e.Message);
        }
    }

    async Task Try<T>(T item, Func<T, CancellationToken, Task> act, Func<T, string> name, CancellationToken cancellationToken)
    {
        try
        {
            await act(item, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BrokerException)
        {
            log.NotEnded(name(item), e.Message);
        }
    }
}
