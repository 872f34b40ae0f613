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
                await StartAll(stoppingToken);
                await watch.Wait(woken, Poll, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task StartAll(CancellationToken stoppingToken)
    {
        try
        {
            var wanted = await store.Starting(host.IsRoot, stoppingToken);
            foreach (var gone in started.Keys.Except(wanted.Select(s => s.SandboxId), StringComparer.Ordinal))
                started.TryRemove(gone, out _);
            await Task.WhenAll(wanted.Where(s => started.TryAdd(s.SandboxId, true)).Select(s => Start(s, stoppingToken)));
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            log.NotLooked(e.Message);
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
