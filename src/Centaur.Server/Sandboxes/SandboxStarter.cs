using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// Starts the keepers of reserved sandboxes before their first turn asks for them: a spawn is the sign that a turn is near. What fails here is left as it is;
/// the turn that needs the sandbox tries again and tells its thread why it cannot be had.
/// </summary>
internal sealed class SandboxStarter(SandboxStore store, ISandboxBackend backend, WorkerLease lease, WakeUps wakeUps, ILogger<SandboxStarter> log) : BackgroundService
{
    static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);

    readonly HashSet<string> tried = new(StringComparer.Ordinal);

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
            var wanted = await store.Starting(stoppingToken);
            tried.IntersectWith(wanted.Select(s => s.SandboxId).ToHashSet(StringComparer.Ordinal));
            await Task.WhenAll(wanted.Where(s => tried.Add(s.SandboxId)).Select(s => Start(s, stoppingToken)));
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
            log.Started(sandbox.SandboxId, sandbox.ThreadKey);
        }
        catch (SandboxStartException e)
        {
            log.NotStarted(sandbox.SandboxId, e.Message);
        }
    }
}
