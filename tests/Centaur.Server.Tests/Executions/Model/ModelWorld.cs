using System.Diagnostics;
using System.Text;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// All actors of one run. They act side by side; between two moves of the run everybody has come as far as he can: he has finished, is held at a crash point, waits for a lock
/// that another holds, or waits for his harness. So the next move, which the seed chooses, meets the same world every time.
/// </summary>
internal sealed class ModelWorld(ServerFixture server, int seed, CancellationToken cancellationToken) : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    readonly List<ModelWorker> all = [];
    readonly List<string> story = [];
    readonly List<string> broken = [];
    List<Task> requests = [];

    public string[] Threads { get; } = [.. Enumerable.Range(0, 3).Select(n => $"model:{seed}:{n}:{Guid.CreateVersion7():N}")];

    public ModelSandboxes Sandboxes { get; } = new();

    public ModelSlack Slack { get; private set; } = null!;

    /// <summary>Those that may take work.</summary>
    public List<ModelWorker> Workers { get; } = [];

    public List<ModelDeliverer> Deliverers { get; } = [];

    public ModelWorker Reaper { get; private set; } = null!;

    public PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    /// <summary>Workers with something to do, those that have lost their lease included.</summary>
    public IEnumerable<ModelWorker> Busy => all.Where(worker => worker.IsBusy);

    public IEnumerable<ModelKeeper> Keepers => Sandboxes.Keepers(Threads);

    public async Task Open()
    {
        Slack = new ModelSlack { Report = Report };
        Reaper = await Hire();
        Workers.Remove(Reaper);
        for (var n = 0; n < 3; n++)
            await Hire();
        for (var n = 0; n < 2; n++)
            HireDeliverer();
    }

    public async Task<ModelWorker> Hire()
    {
        var worker = await ModelWorker.Hire(server.Services, Sandboxes, Report, cancellationToken);
        all.Add(worker);
        Workers.Add(worker);
        return worker;
    }

    public void HireDeliverer() => Deliverers.Add(new ModelDeliverer(server.Services, Slack, $"deliverer-{seed}-{Guid.CreateVersion7():N}"));

    /// <summary>Begins a request that may have to wait for a lock.</summary>
    public void Ask(Func<Task> request) => requests.Add(request());

    /// <summary>Nothing is told any more.</summary>
    public bool IsQuiet { get; set; }

    public void Tell(string what)
    {
        if (!IsQuiet)
            story.Add(what);

    }

    public void Report(string what)
    {
        lock (broken)
            broken.Add(what);
    }

    /// <summary>How a broken promise is told: the seed, and the last moves before it.</summary>
    public string Seed(string promise) => $"seed {seed}: {promise}\n  {string.Join("\n  ", story.TakeLast(60))}";

    /// <summary>Until everybody has come as far as he can.</summary>
    public async Task Settle()
    {
        var began = Stopwatch.GetTimestamp();
        var before = "";
        for (var look = 0; ; look++)
        {
            Fail();
            var moving = await Moving();
            if (moving.Count == 0)
                return;
            var now = string.Join(", ", moving.Select(m => m.Name));
            // Twice the same, because one who was just let go on is neither here nor there for a moment.
            if (await Blocked() >= moving.Count && now == before)
                return;
            before = now;
            if (look % 4 == 3)
            {
                foreach (var (_, worker) in moving)
                    worker?.Tick(Tick);
            }
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new TimeoutException(Seed($"nothing moves any more: {now}\n{await Locks()}"));
            await Task.Delay(1, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in all)
            worker.Kill();
        foreach (var deliverer in Deliverers)
            deliverer.Kill();
        await Task.WhenAll(all.Select(w => w.Work).Concat(Deliverers.Select(d => d.Work)).Concat(requests)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        all.ForEach(worker => worker.Dispose());
        await Sandboxes.DisposeAsync();
    }

    void Fail()
    {
        foreach (var done in all.Select(w => w.Work).Concat(Deliverers.Select(d => d.Work)).Concat(requests).Where(task => task.IsFaulted))
            throw new InvalidOperationException(Seed($"an actor failed: {done.Exception!.InnerException!.Message}"), done.Exception);
        requests = requests.Where(request => !request.IsCompleted).ToList();
        lock (broken)
        {
            if (broken.Count > 0)
                throw new InvalidOperationException(Seed(string.Join("; ", broken)));
        }
    }

    async Task<List<(string Name, ModelWorker? Worker)>> Moving()
    {
        var keepers = Keepers.ToList();
        var waiting = all.Where(w => w.IsBusy && w.Gate.HeldAt is null).ToLookup(w => keepers.Find(k => k.Awaits(w)));
        var told = await ToBeCancelled(waiting.Select(group => group.Key?.Turn).OfType<string>().ToArray());
        var moving = new List<(string, ModelWorker?)>();
        foreach (var group in waiting)
        {
            // One that is to be cancelled waits for its harness once it has said so to it.
            if (group.Key is null || (group.Key is { Turn: { } turn, IsInterrupted: false } && told.Contains(turn)))
                moving.AddRange(group.Select(w => (w.WorkerId, (ModelWorker?)w)));
        }
        moving.AddRange(Deliverers.Where(d => d.IsBusy && d.Gate.HeldAt is null).Select(d => (d.Name, (ModelWorker?)null)));
        moving.AddRange(requests.Where(r => !r.IsCompleted).Select(_ => ("request", (ModelWorker?)null)));
        return moving;
    }

    async Task<HashSet<string>> ToBeCancelled(string[] turns) =>
        turns.Length == 0
            ? []
            : (await Database.Query(
                $"select durable_turn_id from agent_execution_requests where status = 'cancel_requested' and durable_turn_id = any ({turns})", row => row.GetString(0), cancellationToken)).ToHashSet();

    Task<long> Blocked() =>
        Database.First(
            $"select count(distinct l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid where not l.granted and a.datname = current_database()", row => row.GetInt64(0), cancellationToken);

    async Task<string> Locks()
    {
        var text = new StringBuilder();
        foreach (var row in await Database.Query(
            $"select pid::text, coalesce(state, ''), coalesce(wait_event, ''), left(query, 200) from pg_stat_activity where datname = current_database() and state <> 'idle'",
            row => $"{row.GetString(0)} {row.GetString(1)} {row.GetString(2)} {row.GetString(3)}", cancellationToken))
            text.AppendLine(row);
        foreach (var worker in all.Where(w => w.IsBusy))
            text.AppendLine($"{worker.WorkerId} held at {worker.Gate.HeldAt}");
        foreach (var keeper in Keepers)
            text.AppendLine($"{keeper.SandboxId} works on {keeper.Turn}, interrupted: {keeper.IsInterrupted}, dead: {keeper.IsDead}");
        return text.ToString();
    }
}
