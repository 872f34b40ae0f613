using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Executions;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

public sealed class ReleaseTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    [Fact]
    public async Task Release_ends_the_assignment_and_gives_the_sandbox_up()
    {
        var threadKey = Http.NewThread();
        var spawned = await server.Api.Spawn(threadKey);

        var released = await Release(threadKey, new JsonObject());

        released.ToJsonString().ShouldBe(
            $$"""{"ok":true,"thread_key":"{{threadKey}}","released":true,"assignment_generation":1,"runtime_id":"{{spawned["runtime_id"]}}"}""");
        (await Sandbox(threadKey)).ShouldBe(("stopping", "released"));
        (await Session(threadKey)).ShouldBe("stopped");
        ((int)(await server.Api.Spawn(threadKey))["assignment_generation"]!).ShouldBe(2);
    }

    [Fact]
    public async Task Release_of_a_thread_without_an_assignment_says_so()
    {
        var threadKey = Http.NewThread();

        (await Release(threadKey, new JsonObject())).ToJsonString().ShouldBe(
            $$"""{"ok":true,"thread_key":"{{threadKey}}","released":false,"reason":"no_active_assignment"}""");
    }

    [Fact]
    public async Task F24_A_release_id_is_answered_once_and_refused_with_another_payload()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var first = await Release(threadKey, new JsonObject { ["release_id"] = "rel-1" });
        await server.Api.Spawn(threadKey);

        (await Release(threadKey, new JsonObject { ["release_id"] = "rel-1" })).ToJsonString().ShouldBe(first.ToJsonString());
        var (status, json) = await server.Api.Post(Path(threadKey), new JsonObject { ["release_id"] = "rel-1", ["cancel_inflight"] = true });

        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("IDEMPOTENCY_PAYLOAD_MISMATCH");
        (await Database.First($"select state from agent_runtime_assignments where thread_key = {threadKey} and assignment_generation = 2", row => row.GetString(0), Cancel))
            .ShouldBe("active");
    }

    [Fact]
    public async Task Releases_at_once_release_once()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);

        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Release(threadKey, new JsonObject())));

        all.Count(r => (bool)r["released"]!).ShouldBe(1);
    }

    [Fact]
    public async Task Release_with_cancel_inflight_ends_every_execution_at_once_and_fences_its_owner_off()
    {
        var threadKey = Http.NewThread();
        var running = await server.Api.Queue(threadKey);
        var queued = await server.Api.Queue(threadKey);
        await Run(running);
        var events = await Events(threadKey);

        await Release(threadKey, new JsonObject { ["cancel_inflight"] = true });

        foreach (var id in new[] { running, queued })
        {
            var (_, execution) = await server.Api.Get($"/agent/executions/{id}");
            ((string)execution!["status"]!).ShouldBe("cancelled");
            ((string)execution["terminal_reason"]!).ShouldBe("released");
            execution["completed_at"].ShouldNotBeNull();
        }

        (await Owner(running)).ShouldBe((2L, null));
        (await Events(threadKey)).ShouldBe(events, "the contract has no terminal event here");
        (await Database.First($"select inflight_turn_id is null from sandbox_sessions where thread_key = {threadKey}", row => row.GetBoolean(0), Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task Release_with_cancel_inflight_tells_the_author_of_what_it_ended()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var execution = (string)(await server.Api.PostOk(
            "/agent/execute",
            new JsonObject { ["thread_key"] = threadKey, ["assignment_generation"] = 1, ["delivery"] = new JsonObject { ["platform"] = "slack", ["channel"] = "C1" } },
            HttpStatusCode.Accepted))["execution_id"]!;

        await Release(threadKey, new JsonObject { ["cancel_inflight"] = true });

        (await Database.First($"select state from agent_final_delivery_outbox where execution_id = {execution}", row => row.GetString(0), Cancel)).ShouldBe("pending");
    }

    [Fact]
    public async Task Release_ends_a_reader_that_follows_the_execution_with_its_last_state()
    {
        var threadKey = Http.NewThread();
        var execution = await server.Api.Queue(threadKey);
        var after = await Events(threadKey);
        var path = $"/agent/threads/{Uri.EscapeDataString(threadKey)}/events?execution_id={execution}&after_event_id={after}";
        using var response = await server.Api.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Cancel);

        await Release(threadKey, new JsonObject { ["cancel_inflight"] = true });

        (await response.Content.ReadAsStringAsync(Cancel)).ShouldContain("\"terminal_reason\":\"released\"");
    }

    [Fact]
    public async Task Release_without_cancel_inflight_lets_the_owner_end_what_runs_and_leaves_the_queue()
    {
        var threadKey = Http.NewThread();
        var running = await server.Api.Queue(threadKey);
        var queued = await server.Api.Queue(threadKey);
        await Run(running);

        await Release(threadKey, new JsonObject());

        (await Status(running)).ShouldBe(ExecutionStatus.CancelRequested);
        (await Owner(running)).ShouldBe((1L, "someone"));
        (await Status(queued)).ShouldBe(ExecutionStatus.Queued);
    }

    [Fact]
    public async Task F27_A_sandbox_releases_its_own_thread_alone_and_its_token_dies_with_it()
    {
        var (threadKey, other) = (Http.NewThread(), Http.NewThread());
        var spawned = await server.Api.Spawn(threadKey);
        await server.Api.Spawn(other);
        using var sandbox = server.Sandbox(await server.Services.GetRequiredService<SandboxTokens>().Mint(threadKey, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken));

        (await sandbox.Post(Path(other), new JsonObject())).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.Post(Path(threadKey), new JsonObject())).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.Post(Path(threadKey), new JsonObject())).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Stop_cancels_what_runs_gives_the_sandbox_up_and_leaves_assignment_and_queue()
    {
        var threadKey = Http.NewThread();
        var running = await server.Api.Queue(threadKey);
        var queued = await server.Api.Queue(threadKey);
        await Run(running);

        (await server.Api.PostOk("/agent/stop", new JsonObject { ["thread_key"] = threadKey })).ToJsonString().ShouldBe("""{"ok":true}""");

        (await Status(running)).ShouldBe(ExecutionStatus.CancelRequested);
        (await Status(queued)).ShouldBe(ExecutionStatus.Queued);
        (await Sandbox(threadKey)).ShouldBe(("stopping", "stopped"));
        ((int)(await server.Api.Spawn(threadKey))["assignment_generation"]!).ShouldBe(1);
    }

    [Fact]
    public async Task Stop_of_a_thread_without_a_sandbox_is_not_ok_and_needs_its_scope()
    {
        (await server.Api.PostOk("/agent/stop", new JsonObject { ["thread_key"] = Http.NewThread() })).ToJsonString().ShouldBe("""{"ok":false}""");
        var key = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "executes", ["scopes"] = new JsonArray("agent:execute") });
        var (status, json) = await server.Client((string)key["key"]!).Post("/agent/stop", new JsonObject { ["thread_key"] = Http.NewThread() });
        status.ShouldBe(HttpStatusCode.Forbidden);
        ((string)json!["detail"]!).ShouldBe("API key scope does not permit 'agent:stop'");
    }

    static string Path(string threadKey) => $"/agent/threads/{Uri.EscapeDataString(threadKey)}/release";

    Task<JsonNode> Release(string threadKey, JsonObject body) => server.Api.PostOk(Path(threadKey), body);

    async Task<string> Status(string id) => (string)(await server.Api.Get($"/agent/executions/{id}")).Json!["status"]!;

    Task Run(string id) =>
        Database.Execute(
            $"update agent_execution_requests set status = 'running', worker_id = 'someone', fencing_generation = 1, durable_turn_id = {"turn-" + id} where execution_id = {id}", Cancel);

    Task<(long Fencing, string? Worker)> Owner(string id) =>
        Database.First(
            $"select fencing_generation, worker_id from agent_execution_requests where execution_id = {id}",
            row => (row.GetInt64(0), row.IsDBNull(1) ? null : row.GetString(1)),
            Cancel);

    Task<long> Events(string threadKey) =>
        Database.First($"select coalesce(max(event_id), 0) from agent_execution_events where thread_key = {threadKey}", row => row.GetInt64(0), Cancel);

    Task<(string State, string Cause)> Sandbox(string threadKey) =>
        Database.First($"select state, cause from sandboxes where thread_key = {threadKey}", row => (row.GetString(0), row.GetString(1)), Cancel);

    Task<string?> Session(string threadKey) =>
        Database.First($"select state from sandbox_sessions where thread_key = {threadKey}", row => row.GetString(0), Cancel);
}
