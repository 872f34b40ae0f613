using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

public sealed class ExecuteTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task An_execution_is_queued_with_its_event()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var json = await server.Api.PostOk("/agent/execute", Body(threadKey, "e-1"), HttpStatusCode.Accepted);
        var id = (string)json["execution_id"]!;
        id.ShouldMatch("^exe_[0-9a-f]{16}$");
        ((string)json["status"]!).ShouldBe("queued");
        ((string)json["final_key"]!).ShouldBe(id);
        ((string)json["delivery_token"]!).ShouldBe(id);
        json.AsObject().ContainsKey("idempotent").ShouldBeFalse();

        var (_, view) = await server.Api.Get($"/agent/executions/{id}");
        ((string)view!["thread_key"]!).ShouldBe(threadKey);
        ((string)view["metadata"]!["requested_by"]!).ShouldStartWith("first-key:");
        view["started_at"].ShouldBeNull();
    }

    [Fact]
    public async Task F24_One_key_is_one_execution_however_often_and_at_once_it_is_asked()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var all = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => server.Api.PostOk("/agent/execute", Body(threadKey, "e-1"), HttpStatusCode.Accepted)));
        all.Select(r => (string)r["execution_id"]!).Distinct().Count().ShouldBe(1);
        all.Count(r => r["idempotent"] is null).ShouldBe(1);

        var other = Body(threadKey, "e-1");
        other["metadata"] = new JsonObject { ["x"] = 1 };
        var (status, json) = await server.Api.Post("/agent/execute", other);
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("IDEMPOTENCY_PAYLOAD_MISMATCH");
    }

    [Fact]
    public async Task The_short_form_spawns_and_stores_the_message()
    {
        var threadKey = Http.NewThread();
        var json = await server.Api.PostOk("/agent/execute", new JsonObject { ["thread_key"] = threadKey, ["message"] = "hello", ["user_id"] = "U1" }, HttpStatusCode.Accepted);
        ((string)json["execute_id"]!).ShouldStartWith("exec-auto-");
        var (_, messages) = await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}");
        var message = messages!["messages"]!.AsArray().Single()!;
        ((string)message["user_id"]!).ShouldBe("U1");
        ((string)message["metadata"]!["message_id"]!).ShouldMatch("^auto-[0-9a-f]{12}:message$");
    }

    [Fact]
    public async Task The_short_form_with_an_id_is_idempotent_too()
    {
        var body = new JsonObject { ["thread_key"] = Http.NewThread(), ["message"] = "hello", ["execute_id"] = "mine" };
        var first = await server.Api.PostOk("/agent/execute", body, HttpStatusCode.Accepted);
        var second = await server.Api.PostOk("/agent/execute", body.DeepClone(), HttpStatusCode.Accepted);
        ((string)second["execution_id"]!).ShouldBe((string)first["execution_id"]!);
        var (_, messages) = await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString((string)body["thread_key"]!)}");
        messages!["messages"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_short_form_without_a_message_is_422()
    {
        var (status, json) = await server.Api.Post("/agent/execute", new JsonObject { ["thread_key"] = Http.NewThread() });
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        json.Code().ShouldBe("MISSING_FIELD");
    }

    [Fact]
    public async Task A_refused_short_form_leaves_nothing_half_done()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await Fail(threadKey, 3);
        var (status, json) = await server.Api.Post("/agent/execute", new JsonObject { ["thread_key"] = threadKey, ["message"] = "again" });
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("THREAD_FAILURE_LOOP");
        ((string)json!["message"]!).ShouldContain("harness_error");
        var (_, messages) = await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}");
        messages!["messages"]!.AsArray().Count.ShouldBe(0);
    }

    [Fact]
    public async Task Two_failures_are_no_loop()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await Fail(threadKey, 2);
        await server.Api.Queue(threadKey);
    }

    [Fact]
    public async Task A_stale_generation_is_409()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var body = Body(threadKey, "e");
        body["assignment_generation"] = 2;
        var (status, json) = await server.Api.Post("/agent/execute", body);
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("ASSIGNMENT_GENERATION_STALE");
    }

    [Fact]
    public async Task A_queued_execution_is_cancelled_at_once_and_once()
    {
        var id = await server.Api.Queue(Http.NewThread());
        var first = await server.Api.PostOk($"/agent/executions/{id}/cancel", new JsonObject());
        ((string)first["status"]!).ShouldBe("cancelled");
        first["idempotent"].ShouldBeNull();
        var second = await server.Api.PostOk($"/agent/executions/{id}/cancel", new JsonObject());
        second["idempotent"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task A_running_execution_is_asked_to_end()
    {
        var id = await server.Api.Queue(Http.NewThread());
        await Database.Execute($"update agent_execution_requests set status = 'running' where execution_id = {id}", TestContext.Current.CancellationToken);
        ((string)(await server.Api.PostOk($"/agent/executions/{id}/cancel", new JsonObject()))["status"]!).ShouldBe("cancel_requested");
        (await server.Api.PostOk($"/agent/executions/{id}/cancel", new JsonObject()))["idempotent"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task An_unknown_execution_is_404()
    {
        var (status, json) = await server.Api.Get("/agent/executions/exe_none");
        status.ShouldBe(HttpStatusCode.NotFound);
        json!.ToJsonString().ShouldBe("""{"detail":"execution not found"}""");
        (await server.Api.Post("/agent/executions/exe_none/cancel", new JsonObject())).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Executions_are_listed_newest_first_within_the_limit()
    {
        var threadKey = Http.NewThread();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(await server.Api.Queue(threadKey));
        var (_, json) = await server.Api.Get($"/agent/threads/{Uri.EscapeDataString(threadKey)}/executions?limit=2");
        json!["executions"]!.AsArray().Select(e => (string)e!["execution_id"]!).ShouldBe([ids[2], ids[1]]);
        (await server.Api.Get($"/agent/threads/{Uri.EscapeDataString(threadKey)}/executions?limit=0")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    async Task Fail(string threadKey, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await server.Api.PostOk("/agent/execute", Body(threadKey, $"failing-{i}"), HttpStatusCode.Accepted);
            await Database.Execute(
                $"""
                update agent_execution_requests set status = 'failed_permanent', terminal_reason = 'harness_error', completed_at = clock_timestamp()
                where thread_key = {threadKey} and status = 'queued'
                """,
                TestContext.Current.CancellationToken);
        }
    }

    static JsonObject Body(string threadKey, string id) => new() { ["thread_key"] = threadKey, ["assignment_generation"] = 1, ["execute_id"] = id, ["platform"] = "dev" };
}
