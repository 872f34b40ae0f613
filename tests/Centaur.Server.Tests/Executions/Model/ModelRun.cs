using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// A random sequence of requests, claims, frames, deaths, pauses and wake-ups from one seed, beside a small model: which requests were acknowledged, and for which of them
/// somebody asked to cancel. When all is quiet the books are compared (design §1: I1, I2, I3).
/// </summary>
internal sealed class ModelRun(ServerFixture server, int seed, CancellationToken cancellationToken)
{
    const int Steps = 60;

    readonly Random random = new(seed);
    readonly string[] threads = [.. Enumerable.Range(0, 3).Select(n => $"model:{seed}:{n}:{Guid.CreateVersion7():N}")];
    readonly Dictionary<string, Request> requests = [];
    readonly HashSet<string> cancelled = [];
    readonly List<ModelWorker> all = [];
    readonly List<ModelWorker> workers = [];
    readonly List<ModelWorker> paused = [];
    int ids;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    public async Task Play()
    {
        foreach (var thread in threads)
            await server.Api.Spawn(thread);
        try
        {
            for (var n = 0; n < 3; n++)
                await Hire();
            for (var step = 0; step < Steps; step++)
                await Step();
            await Drain();
            await Check();
        }
        finally
        {
            all.ForEach(worker => worker.Dispose());
        }
    }

    async Task Hire()
    {
        var worker = await ModelWorker.Start(server.Services, cancellationToken);
        all.Add(worker);
        workers.Add(worker);
    }

    async Task Step()
    {
        var worker = workers[random.Next(workers.Count)];
        switch (random.Next(100))
        {
            case < 20:
                await Ask(threads[random.Next(threads.Length)]);
                break;
            case < 27 when requests.Count > 0:
                await Send(requests.Values.ElementAt(random.Next(requests.Count)));
                break;
            case < 34 when requests.Count > 0:
                await Cancel(requests.Values.ElementAt(random.Next(requests.Count)));
                break;
            case < 40:
                await Kill(worker);
                break;
            case < 46 when worker.IsBusy:
                await Pause(worker);
                break;
            case < 52:
                await workers[random.Next(workers.Count)].Reap(cancellationToken);
                break;
            case < 57 when paused.Count > 0:
                await Wake();
                break;
            case < 75 when worker.IsBusy:
                await worker.Emit(twice: random.Next(4) == 0, cancellationToken);
                break;
            case < 88 when worker.IsBusy:
                await worker.Finish(well: random.Next(10) > 0, cancellationToken);
                break;
            default:
                if (!worker.IsBusy)
                    await worker.Claim(cancellationToken);
                break;
        }
    }

    async Task Ask(string thread)
    {
        var request = new Request(thread, $"ask-{++ids}");
        await Send(request);
    }

    /// <summary>Sends message and execution; a repeat must be answered as the first was.</summary>
    async Task Send(Request request)
    {
        await server.Api.PostOk("/agent/message", new JsonObject
        {
            ["thread_key"] = request.Thread, ["assignment_generation"] = 1, ["message_id"] = request.Id,
            ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = request.Id }),
        });
        var (status, json) = await server.Api.Post("/agent/execute", new JsonObject
        {
            ["thread_key"] = request.Thread, ["assignment_generation"] = 1, ["execute_id"] = request.Id, ["delivery"] = new JsonObject { ["platform"] = "model", ["channel"] = "c" },
        });
        if (status == HttpStatusCode.Conflict && json.Code() == "THREAD_FAILURE_LOOP")
            return;
        status.ShouldBe(HttpStatusCode.Accepted, json?.ToJsonString());
        var execution = (string)json!["execution_id"]!;
        if (requests.TryGetValue(request.Id, out var before))
            execution.ShouldBe(before.Execution, Seed("one idempotency key, one execution"));
        requests[request.Id] = request with { Execution = execution };
    }

    async Task Cancel(Request request)
    {
        cancelled.Add(request.Execution!);
        await server.Api.PostOk($"/agent/executions/{request.Execution}/cancel", new JsonObject());
    }

    async Task Kill(ModelWorker worker)
    {
        await worker.EndLease(cancellationToken);
        workers.Remove(worker);
        await Hire();
    }

    async Task Pause(ModelWorker worker)
    {
        await Kill(worker);
        paused.Add(worker);
    }

    async Task Wake()
    {
        var worker = paused[0];
        paused.RemoveAt(0);
        var before = await Events();
        await worker.WriteStale(cancellationToken);
        (await Events()).ShouldBe(before, Seed("a stale owner wrote nothing"));
    }

    /// <summary>One more question for each thread, so that even what waited behind a cancelled one is given to a turn; then all work is done.</summary>
    async Task Drain()
    {
        await Database.Execute($"update agent_execution_requests set completed_at = completed_at - interval '1 hour' where status = 'failed_permanent'", cancellationToken);
        foreach (var thread in threads)
            await Ask(thread);
        while (paused.Count > 0)
            await Wake();
        foreach (var worker in workers.Where(w => w.IsBusy))
            await worker.Finish(well: true, cancellationToken);
        await workers[0].Reap(cancellationToken);
        while (await workers[0].Claim(cancellationToken))
        {
            if (workers[0].IsBusy)
                await workers[0].Finish(well: true, cancellationToken);
        }
    }

    async Task Check()
    {
        var rows = await Database.Query(
            $"""
            select execute_id, execution_id, status,
                   (select count(*) from agent_execution_events v where v.execution_id = e.execution_id and v.event_kind = 'execution_state'
                      and v.event_json ->> 'status' in ('completed', 'failed_permanent', 'cancelled')),
                   (select count(*) from chat_messages c where c.thread_key = e.thread_key and c.id = 'turn-' || e.execution_id)
            from agent_execution_requests e where thread_key = any ({threads})
            """,
            row => (ExecuteId: row.GetString(0), Execution: row.GetString(1), Status: row.GetString(2), Ends: row.GetInt64(3), Answers: row.GetInt64(4)),
            cancellationToken);
        rows.Select(r => r.Execution).Order().ShouldBe(requests.Values.Select(r => r.Execution!).Order(), Seed("what was acknowledged is there, and nothing else"));
        rows.ShouldAllBe(r => ExecutionStatus.IsTerminal(r.Status), Seed("every execution has ended"));
        rows.ShouldAllBe(r => r.Ends == 1, Seed("every end is told once"));
        rows.ShouldAllBe(r => r.Answers == (r.Status == ExecutionStatus.Completed ? 1 : 0), Seed("one answer for each completed turn"));
        rows.Where(r => r.Status == ExecutionStatus.Cancelled).ShouldAllBe(r => cancelled.Contains(r.Execution), Seed("nothing is cancelled that nobody wished to"));

        (await Count($"select count(*) from agent_message_requests where thread_key = any ({threads}) and delivered_execution_id is null"))
            .ShouldBe(0, Seed("every acknowledged message was given to a turn"));
        (await Count($"select count(*) from agent_final_delivery_outbox where thread_key = any ({threads}) and state <> 'pending'")).ShouldBe(0, Seed("every end is ready to be told"));
        (await Count($"select count(*) from agent_final_delivery_outbox where thread_key = any ({threads})")).ShouldBe(rows.Count, Seed("and told once"));
        (await Count(
            $"""
            select count(*) from (
                select thread_key, count(*) as stored, count(distinct first_seq) as frames, max(last_seq) as last
                from agent_execution_events where thread_key = any ({threads}) and first_seq is not null group by thread_key) f
            where stored <> frames or stored <> last
            """)).ShouldBe(0, Seed("every frame is stored, and stored once"));
        (await Count(
            $"""
            select count(*)
            from agent_execution_requests a join agent_execution_requests b on b.thread_key = a.thread_key and b.created_at > a.created_at
            where a.thread_key = any ({threads}) and a.durable_turn_id is not null and b.durable_turn_id is not null and b.started_at < a.completed_at
            """)).ShouldBe(0, Seed("turns of a thread run in order, one at a time"));
    }

    Task<long> Events() => Count($"select count(*) from agent_execution_events where thread_key = any ({threads})");

    Task<long> Count(Sql sql) => Database.First(sql, row => row.GetInt64(0), cancellationToken);

    string Seed(string promise) => $"seed {seed}: {promise}";

    sealed record Request(string Thread, string Id)
    {
        public string? Execution { get; init; }
    }
}
