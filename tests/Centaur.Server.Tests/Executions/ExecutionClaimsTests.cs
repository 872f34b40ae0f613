using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Server.Sandboxes;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

/// <summary>Who may write: the owner, for as long as its lease and its fencing generation hold. Each test has a server, and so a queue, of its own.</summary>
public sealed class ExecutionClaimsTests(ServerFixture server) : IClassFixture<ServerFixture>, IAsyncLifetime
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    public async ValueTask InitializeAsync() =>
        await Database.Execute($"update agent_execution_requests set status = 'cancelled', completed_at = now() where completed_at is null", Cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Claim_takes_the_oldest_and_raises_its_fencing_generation()
    {
        var worker = await Worker();
        var first = await server.Api.Queue(Http.NewThread());
        await server.Api.Queue(Http.NewThread());

        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();

        claimed.ExecutionId.ShouldBe(first);
        claimed.Status.ShouldBe(ExecutionStatus.Running);
        claimed.FencingGeneration.ShouldBe(1);
    }

    [Fact]
    public async Task Claim_skips_a_thread_that_runs_another_execution()
    {
        var worker = await Worker();
        var thread = Http.NewThread();
        await server.Api.Queue(thread);
        await server.Api.Queue(thread);

        (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task A_claim_for_people_passes_over_every_workflow_that_waits()
    {
        var worker = await Worker();
        await server.Api.PostOk(
            "/agent/execute",
            new System.Text.Json.Nodes.JsonObject
            {
                ["thread_key"] = Http.NewThread(), ["message"] = "hello", ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["workflow_run_id"] = "wfr_1" },
            },
            System.Net.HttpStatusCode.Accepted);
        var person = await server.Api.Queue(Http.NewThread());

        (await worker.Claims.Claim(workflows: false, Cancellation)).ShouldNotBeNull().ExecutionId.ShouldBe(person);
        (await worker.Claims.Claim(workflows: false, Cancellation)).ShouldBeNull();
        (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull().OfWorkflow.ShouldBeTrue();
    }

    [Fact]
    public async Task Claim_gives_nothing_to_a_worker_whose_lease_has_ended()
    {
        var worker = await Worker();
        await server.Api.Queue(Http.NewThread());
        await EndLease(worker);

        (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Reap_returns_what_an_ended_lease_owned_and_leaves_the_living_alone()
    {
        var dead = await Worker();
        var living = await Worker();
        await server.Api.Queue(Http.NewThread());
        await server.Api.Queue(Http.NewThread());
        var lost = (await dead.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var kept = (await living.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        await EndLease(dead);

        await living.Claims.Reap(Cancellation);

        (await Status(lost)).ShouldBe(ExecutionStatus.Queued);
        (await Status(kept)).ShouldBe(ExecutionStatus.Running);
        (await living.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull().FencingGeneration.ShouldBe(2);
    }

    [Fact]
    public async Task F27_An_owner_whose_thread_was_released_learns_it_at_its_next_look_and_writes_nothing()
    {
        var worker = await Worker();
        var thread = Http.NewThread();
        await server.Api.Queue(thread);
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();

        await server.Api.PostOk($"/agent/threads/{Uri.EscapeDataString(thread)}/release", new System.Text.Json.Nodes.JsonObject { ["cancel_inflight"] = true });

        await Should.ThrowAsync<FencedException>(() => worker.Turns.Status(claimed, Cancellation));
        await Should.ThrowAsync<FencedException>(() => worker.Turns.Finish(claimed, new TurnState(), Done, Cancellation));
        await worker.Claims.Return(claimed, Cancellation);
        (await Status(claimed)).ShouldBe(ExecutionStatus.Cancelled);
        (await worker.Turns.HasSandbox(thread, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_that_was_stopped_stays_stopped_when_its_turn_ends()
    {
        var worker = await Worker();
        var thread = Http.NewThread();
        await server.Api.Queue(thread);
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        await server.Api.PostOk("/agent/stop", new System.Text.Json.Nodes.JsonObject { ["thread_key"] = thread });

        await worker.Turns.Finish(claimed, new TurnState(), Done with { Status = ExecutionStatus.Cancelled }, Cancellation);

        (await Database.First($"select state from sandbox_sessions where thread_key = {thread}", row => row.GetString(0), Cancellation)).ShouldBe("stopped");
    }

    [Fact]
    public async Task A_frame_is_stored_once_however_often_its_batch_is_offered()
    {
        var worker = await Worker();
        await server.Api.Queue(Http.NewThread());
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(claimed.ThreadKey, Cancellation)).ShouldNotBeNull();
        var turn = await worker.Turns.Prepare(claimed, sandbox, "codex", "turn-0000000000000001", Cancellation);
        var before = await Events(claimed);

        await worker.Turns.Store(claimed, sandbox, Batch(turn.TurnId), Cancellation);
        await Should.ThrowAsync<FencedException>(() => worker.Turns.Store(claimed, sandbox, Batch(turn.TurnId), Cancellation));

        (await Events(claimed)).ShouldBe(before + 1);
    }

    [Fact]
    public async Task Words_that_came_too_late_for_their_turn_get_a_turn_of_their_own()
    {
        var worker = await Worker();
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        await worker.Turns.Prepare(claimed, sandbox, "codex", "turn-0000000000000004", Cancellation);
        await Database.Execute(
            $"""
            insert into agent_message_requests (thread_key, message_id, assignment_generation, request_hash, event_json, steers_execution_id)
            values ({thread}, 'late', 1, '', {new Jsonb(Late)}, {execution})
            """,
            Cancellation);

        await worker.Turns.Finish(claimed, new TurnState(), Done, Cancellation);
        var next = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();

        next.ThreadKey.ShouldBe(thread);
        (await worker.Turns.Prepare(next, sandbox, "codex", "turn-0000000000000005", Cancellation)).Input.ShouldContain("too late");
    }

    const string Late = """{"type":"user","message":{"role":"user","content":[{"type":"text","text":"too late"}]}}""";

    [Fact]
    public async Task A_turn_that_was_prepared_is_found_again_with_its_input()
    {
        var worker = await Worker();
        await server.Api.Queue(Http.NewThread());
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(claimed.ThreadKey, Cancellation)).ShouldNotBeNull();
        var first = await worker.Turns.Prepare(claimed, sandbox, "codex", "turn-0000000000000002", Cancellation);

        var again = await worker.Turns.Prepare(await worker.Turns.Refresh(claimed, Cancellation), sandbox, "codex", "turn-0000000000000003", Cancellation);

        (again.TurnId, again.Attempts, again.Replayed).ShouldBe((first.TurnId, 1, false));
        System.Text.Json.Nodes.JsonNode.DeepEquals(System.Text.Json.Nodes.JsonNode.Parse(again.Input), System.Text.Json.Nodes.JsonNode.Parse(first.Input)).ShouldBeTrue();
        first.Input.ShouldContain("hello");
    }

    [Theory]
    [InlineData("killed", 2)]
    [InlineData("host_gone", 1)]
    public async Task A_turn_whose_sandbox_is_lost_begins_anew_and_only_a_lost_host_costs_it_no_attempt(string cause, int attempts)
    {
        var worker = await Worker();
        await server.Api.Queue(Http.NewThread());
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var lost = (await worker.Sandboxes.Claim(claimed.ThreadKey, Cancellation)).ShouldNotBeNull();
        var first = await worker.Turns.Prepare(claimed, lost, "codex", $"turn-{cause}", Cancellation);
        await Database.Execute($"update sandboxes set state = 'dead', cause = {cause}, ended_at = now(), cleared_at = now() where sandbox_id = {lost.SandboxId}", Cancellation);
        await server.Services.GetRequiredService<SandboxReservations>().Reserve(claimed.ThreadKey, Cancellation);
        var next = (await worker.Sandboxes.Claim(claimed.ThreadKey, Cancellation)).ShouldNotBeNull();

        var again = await worker.Turns.Prepare(await worker.Turns.Refresh(claimed, Cancellation), next, "codex", "turn-unused", Cancellation);
        var third = await worker.Turns.Prepare(await worker.Turns.Refresh(claimed, Cancellation), next, "codex", "turn-unused", Cancellation);

        again.ShouldBe(first with { Input = again.Input, Attempts = attempts, Replayed = true });
        third.ShouldBe(again with { BeginsAnew = false });
    }

    [Fact]
    public async Task F30_what_a_harness_prints_and_no_database_holds_is_mended_and_stored()
    {
        var worker = await Worker();
        await server.Api.Queue(Http.NewThread());
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(claimed.ThreadKey, Cancellation)).ShouldNotBeNull();
        var turn = await worker.Turns.Prepare(claimed, sandbox, "built-in", "turn-0000000000000006", Cancellation);
        var batch = new FrameBatch(turn.TurnId, new BuiltInTranslator(), new TurnState(), new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, TimeProvider.System), storedSeq: 0, TimeProvider.System);
        foreach (var (line, n) in ((string[])
        [
            """{"type":"tool","text":"nul \u0000, halves \ud800 and \uDC00, a pair \ud83e\udd84, a backslash \\u0000"}""",
            """{"type":"tool","n":[1e999999,-2.5E-400000, 7],"long":""" + new string('9', 200_000) + "}",
            """{"type":"result","result":"done\u0000","is_error":false}""",
        ]).Select((line, n) => (line, n)))
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(line);
            StorableJson.Mend(bytes);
            using var json = JsonDocument.Parse(bytes);
            batch.Add(new Frame { Seq = n + 1, Turn = turn.TurnId, Event = json.RootElement.Clone() });
        }

        await worker.Turns.Store(claimed, sandbox, batch, Cancellation);
        await worker.Turns.Finish(claimed, batch.State, Done with { ResultText = batch.State.ResultText }, Cancellation);

        (await Database.Query($"select event_json::text from agent_execution_events where execution_id = {claimed.ExecutionId} and event_kind = 'amp_raw_event' order by event_id limit 2", row => row.GetString(0), Cancellation))
            .ShouldBe(["""{"text": "nul �, halves � and �, a pair 🦄, a backslash \\u0000", "type": "tool"}""", """{"n": [0, 0, 7], "long": 0, "type": "tool"}"""]);
        (await Database.First($"select result_text from agent_execution_requests where execution_id = {claimed.ExecutionId}", row => row.GetString(0), Cancellation)).ShouldBe("done\ufffd");
    }

    [Fact]
    public async Task F26_a_message_whose_blocks_hold_other_types_than_texts_is_given_to_the_turn_as_it_is()
    {
        var worker = await Worker();
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        await server.Api.PostOk("/agent/message", System.Text.Json.Nodes.JsonNode.Parse(
            $$$"""{"thread_key":"{{{thread}}}","assignment_generation":1,"metadata":{"user_id":{"a":1}},"parts":[{"type":5,"text":[1]},{"type":"text","text":{"b":2}},{"type":"text","text":"plain"}]}""")!);
        await server.Api.PostOk("/agent/execute", new System.Text.Json.Nodes.JsonObject { ["thread_key"] = thread, ["assignment_generation"] = 1 }, System.Net.HttpStatusCode.Accepted);
        var claimed = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();

        (await worker.Turns.Prepare(claimed, sandbox, "codex", "turn-0000000000000007", Cancellation)).Input.ShouldContain("plain");
    }

    static TerminalState Done => new(ExecutionStatus.Completed, TerminalReasons.Completed, "PONG", null, new Jsonb("{}"));

    static FrameBatch Batch(string turn)
    {
        var observer = new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, TimeProvider.System);
        var batch = new FrameBatch(turn, new CodexTranslator(), new TurnState(), observer, storedSeq: 0, TimeProvider.System);
        using var json = JsonDocument.Parse("""{"type":"turn.plan.updated"}""");
        batch.Add(new Frame { Seq = 1, Turn = turn, Event = json.RootElement.Clone() });
        return batch;
    }

    Task<WorkerParts> Worker() => WorkerParts.Start(server, Cancellation);

    static Task EndLease(WorkerParts worker) => worker.EndLease(Cancellation);

    async Task<string> Status(ClaimedExecution execution) =>
        (await Database.First($"select status from agent_execution_requests where execution_id = {execution.ExecutionId}", row => row.GetString(0), Cancellation))!;

    Task<long> Events(ClaimedExecution execution) =>
        Database.First($"select count(*) from agent_execution_events where execution_id = {execution.ExecutionId}", row => row.GetInt64(0), Cancellation);
}
