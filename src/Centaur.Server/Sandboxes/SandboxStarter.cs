using System.Collections.Concurrent;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// Starts the keepers of reserved sandboxes before their first turn asks for them: a spawn is the sign that a turn is near. One that fails is tried a few times
/// and then given up; the turn that needs a sandbox tries once more and tells its thread why none can be had.
/// </summary>
internal sealed class SandboxStarter(
    SandboxStore store, ISandboxBackend backend, HostIdentity host, WorkerLease lease, WakeUps wakeUps, ILogger<SandboxStarter> log) : BackgroundService
{
    static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<string, bool> started = new(StringComparer.Ordinal);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => lease.WhileHeld(RunTerm, stoppingToken);

    async Task RunTerm(LeaseTerm term, CancellationToken stoppingToken)
    {
        using var watch = wakeUps.Watch(Topics.Sandboxes);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var woken = watch.Next();
                if (!await StartSome(stoppingToken))
                    await watch.Wait(woken, Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Many at once would take the processors from the turns that wait for theirs; a turn whose sandbox is not up yet starts it itself.</summary>
    /// <returns>Whether there was anything to start; then there may be more.</returns>
    async Task<bool> StartSome(CancellationToken stoppingToken)
    {
        try
        {
            var wanted = await store.Starting(host.IsRoot, stoppingToken);
            foreach (var gone in started.Keys.Except(wanted.Select(s => s.SandboxId), StringComparer.Ordinal))
                started.TryRemove(gone, out _);
            var next = wanted.Where(s => !started.ContainsKey(s.SandboxId)).Take(Environment.ProcessorCount).ToList();
            next.ForEach(s => started.TryAdd(s.SandboxId, true));
            await Task.WhenAll(next.Select(s => Start(s, stoppingToken)));
            return next.Count > 0;
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.NotLooked(e.Message);
            return false;
        }
    }

    async Task Start(SandboxRow sandbox, CancellationToken stoppingToken)
    {
        try
        {
            await using var connected = await backend.Connect(sandbox, stoppingToken);
            log.Started(sandbox.SandboxId, sandbox.ThreadKey!);
        }
        catch (SandboxStartException e)
        {
            log.NotStarted(sandbox.SandboxId, e.Message);
            started.TryRemove(sandbox.SandboxId, out _);
            await store.StartFailed(sandbox, e.Message, stoppingToken);
        }
    }
}
