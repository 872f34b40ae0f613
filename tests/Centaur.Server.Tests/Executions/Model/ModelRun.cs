using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// A random sequence of moves from one seed, beside a small model: which requests were acknowledged, which of them somebody wished to cancel, and what each harness said. The
/// actors are the product's own, and act side by side: one is held inside its transaction, dies there, or loses its connection, while others go on. When all is quiet the books
/// are compared (design §1: I1, I2, I3).
/// </summary>
internal sealed class ModelRun(ServerFixture server, int seed, CancellationToken cancellationToken) : IAsyncDisposable
{
    const int Steps = 45;
    const int DrainSteps = 80;

    /// <summary>Where a worker can be held on the way to its harness, and while it listens to it.</summary>
    static readonly string[] Early =
    [
        "execution.claim", "execution.claim", "sandbox.claim", "sandbox.reserve", "sandbox.identify", "keeper.attach", "keeper.policy", "keeper.claim", "keeper.turn", "broker.grant", "turn.prepare",
        "turn.prepare",
    ];
    static readonly string[] Late = ["turn.store", "turn.store", "turn.store", "keeper.ack", "turn.finish", "turn.finish", "keeper.interrupt", "keeper.stop", "sandbox.bury", "turn.tell", "execution.return"];
    static readonly string[] DelivererPoints = ["delivery.claim", "delivery.renew", "slack.post", "delivery.delivered"];

    /// <summary>A cut connection is the database's; what else may break is in the harnesses' moves.</summary>
    static readonly string[] Cuttable = ["execution.claim", "execution.return", "sandbox.claim", "turn.prepare", "turn.store", "turn.finish", "delivery.claim", "delivery.delivered"];

    readonly Random random = new(seed);
    readonly ModelWorld world = new(server, seed, cancellationToken);
    readonly Dictionary<string, string> requests = [];
    readonly HashSet<string> cancelled = [];
    int ids;

    public async Task Play()
    {
        foreach (var thread in world.Threads)
            await server.Api.PostOk("/agent/spawn", new JsonObject { ["thread_key"] = thread, ["harness"] = "built-in" });
        await world.Open();
        try
        {
            for (var step = 0; step < Steps; step++)
            {
                await Step();
                await world.Settle();
            }
            await Drain();
        }
        catch (NpgsqlException fault)
        {
            throw new InvalidOperationException(world.Seed($"the database failed: {fault.Message}"), fault);
        }
        await new ModelBooks(world, requests.Values, cancelled, cancellationToken).Check();
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    async Task Step()
    {
        switch (random.Next(100))
        {
            case < 14:
                Ask(Any(world.Threads)!);
                break;
            case < 18 when requests.Count > 0:
                world.Tell("a request is repeated");
                Send(requests.Keys.ElementAt(random.Next(requests.Count)));
                break;
            case < 23 when requests.Count > 0:
                Cancel(requests.Values.ElementAt(random.Next(requests.Count)));
                break;
            case < 40:
                Begin(Any(world.Workers.Where(w => !w.IsBusy)), aimed: random.Next(2) == 0);
                break;
            case < 64:
                Speak(Any(world.Keepers.Where(k => k.Turn is not null)));
                break;
            case < 84:
                await MoveHeld();
                break;
            case < 88:
                await Lapse(Any(world.Workers)!);
                break;
            case < 90:
                await Kill(Any(world.Workers)!);
                break;
            case < 93:
                Reap();
                break;
            case < 95:
                OfferAgain();
                break;
            case < 97:
                Wait(random.Next(3) == 0 ? ModelWorker.Silence * 2 : TimeSpan.FromSeconds(5));
                break;
            case < 99:
                Deliver(Any(world.Deliverers.Where(d => !d.IsBusy)));
                break;
            default:
                await LapseDeliveries();
                break;
        }
        // Deliveries have turns of their own, because there is something to deliver only late.
        if (random.Next(3) == 0)
            await StepOfDeliverers();
    }

    async Task StepOfDeliverers()
    {
        await world.Settle();
        var deliverer = Any(world.Deliverers)!;
        if (deliverer.Gate.HeldAt is not null)
        {
            if (random.Next(3) == 0)
                await LapseDeliveries();
            else
                await Release(deliverer.Gate, () =>
                {
                    deliverer.Kill();
                    return Task.CompletedTask;
                });
        }
        else if (!deliverer.IsBusy)
        {
            deliverer.Gate.Aim(random.Next(3) > 0 ? (Any(DelivererPoints)!, AnyMoment()) : null);
            Deliver(deliverer);
        }
        foreach (var _ in world.Deliverers.Where(d => !d.IsBusy && d.IsDead).ToList())
            world.HireDeliverer();
    }

    T? Any<T>(IEnumerable<T> from)
        where T : class
    {
        var all = from.ToList();
        return all.Count == 0 ? null : all[random.Next(all.Count)];
    }

    CrashMoment AnyMoment() => random.Next(2) == 0 ? CrashMoment.Before : CrashMoment.After;

    void Ask(string thread)
    {
        var id = $"ask-{++ids}-of-{seed}";
        world.Tell($"{id} is asked of {thread}");
        Send($"{thread} {id}");
    }

    /// <summary>Sends message and execution; a repeat must be answered as the first was.</summary>
    void Send(string threadAndId) => world.Ask(async () =>
    {
        var (thread, id) = threadAndId.Split(' ') is [var key, var name] ? (key, name) : throw new ArgumentException(threadAndId);
        await server.Api.PostOk("/agent/message", new JsonObject
        {
            ["thread_key"] = thread, ["assignment_generation"] = 1, ["message_id"] = id,
            ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = $"[{id}]" }),
        });
        var (status, json) = await server.Api.Post("/agent/execute", new JsonObject
        {
            ["thread_key"] = thread, ["assignment_generation"] = 1, ["execute_id"] = id,
            ["delivery"] = new JsonObject { ["platform"] = "slack", ["channel"] = thread, ["thread_ts"] = "1.0" },
        });
        status.ShouldBe(HttpStatusCode.Accepted, json?.ToJsonString());
        var execution = (string)json!["execution_id"]!;
        lock (requests)
        {
            if (requests.TryGetValue(threadAndId, out var before) && before != execution)
                world.Report("one idempotency key, two executions");
            requests[threadAndId] = execution;
        }
    });

    void Cancel(string execution)
    {
        world.Tell($"{execution} is cancelled");
        cancelled.Add(execution);
        world.Ask(() => server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject()));
    }

    void Begin(ModelWorker? worker, bool aimed = false)
    {
        if (worker is null)
            return;
        if (aimed)
            Aim(worker, Early);
        world.Tell($"{worker.WorkerId} looks for work");
        worker.Begin();
    }

    void Deliver(ModelDeliverer? deliverer)
    {
        if (deliverer is null)
            return;
        world.Tell($"{deliverer.Name} looks for deliveries");
        deliverer.Begin(cancellationToken);
    }

    void Speak(ModelKeeper? keeper)
    {
        if (keeper is null)
            return;
        keeper.IsDeaf = random.Next(3) == 0;
        if (random.Next(2) == 0 && Any(world.Busy.Where(keeper.Awaits)) is { } listener)
            Aim(listener, Late);
        var what = random.Next(20);
        world.Tell($"the harness of {keeper.SandboxId} does {what}");
        switch (what)
        {
            case < 9:
                keeper.Note();
                break;
            case 9:
                keeper.Flood();
                break;
            case < 14:
                keeper.End(well: true);
                break;
            case < 16:
                keeper.End(well: true, again: random.Next(3), after: random.Next(3));
                break;
            case 16:
                keeper.End(well: false, again: random.Next(2));
                break;
            case 17:
                keeper.Exit(jail: false);
                break;
            case 18:
                keeper.Exit(jail: true);
                break;
            default:
                // It hangs.
                break;
        }
    }

    void Aim(ModelWorker worker, string[] points)
    {
        var at = (Any(points)!, AnyMoment());
        world.Tell($"{worker.WorkerId} will be held at {at}");
        worker.Gate.Aim(at);
    }

    /// <summary>Time passes for everybody but the one who is held, or he moves.</summary>
    async Task MoveHeld()
    {
        if (Any(world.Busy.Where(w => w.Gate.HeldAt is not null)) is not { } worker)
            return;
        if (random.Next(3) == 0)
            await Lapse(worker);
        else
            await Release(worker.Gate, () => Kill(worker));
    }

    async Task Release(ModelGate gate, Func<Task> kill)
    {
        var at = gate.HeldAt!.Value;
        switch (random.Next(7))
        {
            case 0:
                world.Tell($"who is held at {at} dies");
                await kill();
                break;
            case 1 or 2 when Cuttable.Contains(at.Name):
                world.Tell($"who is held at {at} loses his connection");
                gate.Cut();
                break;
            default:
                world.Tell($"who is held at {at} goes on");
                gate.GoOn();
                break;
        }
    }

    /// <summary>Its lease ends, in the database's time, and it does not know: others take over what it had.</summary>
    async Task Lapse(ModelWorker worker)
    {
        world.Tell($"the lease of {worker.WorkerId} ends, held at {worker.Gate.HeldAt}");
        world.Ask(() => worker.EndLease(cancellationToken));
        if (world.Workers.Remove(worker))
            await world.Hire();
        if (random.Next(2) == 0)
        {
            await world.Settle();
            Reap();
            await world.Settle();
            Begin(Any(world.Workers.Where(w => !w.IsBusy)));
        }
    }

    async Task Kill(ModelWorker worker)
    {
        world.Tell($"{worker.WorkerId} is killed, held at {worker.Gate.HeldAt}");
        worker.Kill();
        await worker.Work;
        await Lapse(worker);
    }

    void Reap()
    {
        if (world.Reaper.IsBusy)
            return;
        world.Tell("the reaper looks");
        world.Reaper.Reap();
    }

    /// <summary>A request like any other: whoever is held in a write of the same thread makes it wait.</summary>
    void OfferAgain()
    {
        var keepers = world.Keepers.ToList();
        foreach (var worker in world.Busy.Where(w => w.Gate.HeldAt is null).ToList())
        {
            if (keepers.Find(k => k.Awaits(worker)) is { } keeper)
                world.Ask(() => worker.OfferAgain(keeper, cancellationToken));
        }
    }

    void Wait(TimeSpan time)
    {
        if (Any(world.Busy.Where(w => w.Gate.HeldAt is null)) is not { } worker)
            return;
        world.Tell($"{time} pass for {worker.WorkerId}");
        worker.Clock.Advance(time);
    }

    async Task LapseDeliveries()
    {
        foreach (var deliverer in world.Deliverers.Where(d => d.MayLapse).ToList())
        {
            world.Tell($"the leases of {deliverer.Name} end, held at {deliverer.Gate.HeldAt}");
            world.Ask(() => world.Database.Execute(
                $"update agent_final_delivery_outbox set lease_expires_at = clock_timestamp() - interval '1 second' where state = 'sending' and lease_owner = {deliverer.Name}", cancellationToken));
            await world.Settle();
            deliverer.Lapse();
        }
    }

    /// <summary>
    /// One more question for each thread, so that even what waited behind a cancelled one is given to a turn; then everybody goes on, every harness answers, and whoever lives
    /// does what there is to do.
    /// </summary>
    async Task Drain()
    {
        foreach (var worker in world.Busy.Concat(world.Workers))
            worker.Gate.Aim(null);
        foreach (var thread in world.Threads)
            Ask(thread);
        world.Tell("all go on, and no story is told of it");
        world.IsQuiet = true;
        for (var n = 0; n < DrainSteps; n++)
        {
            foreach (var worker in world.Busy.Where(w => w.Gate.HeldAt is not null).ToList())
                worker.Gate.GoOn();
            foreach (var deliverer in world.Deliverers.Where(d => d.Gate.HeldAt is not null).ToList())
                deliverer.Gate.GoOn();
            await world.Settle();
            foreach (var keeper in world.Keepers.Where(k => k.Turn is not null).ToList())
            {
                if (keeper.IsInterrupted)
                    world.Busy.ToList().ForEach(w => w.Clock.Advance(TimeSpan.FromSeconds(5)));
                else
                    keeper.End(well: true);
            }
            await world.Settle();
            Reap();
            await world.Settle();
            if (!world.Busy.Any() && await Open() == 0)
                break;
            foreach (var worker in world.Workers.Where(w => !w.IsBusy).ToList())
                Begin(worker);
            await world.Settle();
        }
        (await Open()).ShouldBe(0, world.Seed("every execution ends"));
        foreach (var deliverer in world.Deliverers.ToList())
            deliverer.Gate.Aim(null);
        for (var n = 0; n < DrainSteps && await Undelivered() > 0; n++)
        {
            await world.Database.Execute(
                $"update agent_final_delivery_outbox set lease_expires_at = clock_timestamp() - interval '1 second' where state = 'sending' and thread_key = any ({world.Threads})", cancellationToken);
            world.Deliverers.ForEach(deliverer => deliverer.Lapse());
            Deliver(Any(world.Deliverers.Where(d => !d.IsBusy && !d.IsDead)));
            await world.Settle();
        }
    }

    Task<long> Open() => world.Database.First(
        $"select count(*) from agent_execution_requests where thread_key = any ({world.Threads}) and completed_at is null", row => row.GetInt64(0), cancellationToken);

    Task<long> Undelivered() => world.Database.First(
        $"select count(*) from agent_final_delivery_outbox where thread_key = any ({world.Threads}) and state <> 'delivered'", row => row.GetInt64(0), cancellationToken);
}
