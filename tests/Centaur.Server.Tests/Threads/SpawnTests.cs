using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Threads;

public sealed class SpawnTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_thread_is_bound_to_the_default_harness_and_a_sandbox()
    {
        var threadKey = Http.NewThread();
        using var response = await server.Api.PostAsync("/agent/spawn", Json(threadKey), TestContext.Current.CancellationToken);
        var json = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        json["ok"]!.GetValue<bool>().ShouldBeTrue();
        ((string)json["runtime_id"]!).ShouldMatch("^sbx-[0-9a-f]{16}$");
        ((string)json["assignment_state"]!).ShouldBe("assigned_idle");
        ((int)json["assignment_generation"]!).ShouldBe(1);
        json.AsObject().ContainsKey("persona_id").ShouldBeTrue();
        ((string)json["prompt_ref"]!).ShouldBe("harness:codex");
        ((string)json["effective_agents_md_sha256"]!).ShouldMatch("^[0-9a-f]{64}$");
        response.Headers.GetValues("X-Trace-Id").Single().ShouldBe((string)json["trace_id"]!);
        response.Headers.GetValues("traceparent").Single().ShouldMatch("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$");
    }

    [Fact]
    public async Task The_same_thread_keeps_its_sandbox_and_generation()
    {
        var threadKey = Http.NewThread();
        var first = await server.Api.Spawn(threadKey);
        var second = await server.Api.Spawn(threadKey);
        ((string)second["runtime_id"]!).ShouldBe((string)first["runtime_id"]!);
        ((int)second["assignment_generation"]!).ShouldBe(1);
    }

    [Fact]
    public async Task A_repeat_with_the_same_payload_gets_the_same_answer_and_another_payload_is_409()
    {
        var threadKey = Http.NewThread();
        var body = new JsonObject { ["thread_key"] = threadKey, ["spawn_id"] = "s-1", ["harness"] = "codex" };
        var first = await server.Api.PostOk("/agent/spawn", body);
        JsonNode.DeepEquals(await server.Api.PostOk("/agent/spawn", body.DeepClone()), first).ShouldBeTrue();

        body["agents_md_override"] = "You are somebody else.";
        var (status, json) = await server.Api.Post("/agent/spawn", body);
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("IDEMPOTENCY_PAYLOAD_MISMATCH");
    }

    [Fact]
    public async Task Another_harness_on_a_bound_thread_is_409()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var (status, json) = await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = threadKey, ["harness"] = "built-in" });
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("ACTIVE_ASSIGNMENT_PROMPT_MISMATCH");
    }

    [Fact]
    public async Task An_unknown_harness_or_persona_is_422()
    {
        var (status, json) = await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = Http.NewThread(), ["harness"] = "gpt" });
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["message"]!).ShouldContain("codex, built-in");
        (status, json) = await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = Http.NewThread(), ["persona_id"] = "nobody" });
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        json.Code().ShouldBe("UNKNOWN_PERSONA_ID");
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a\nb")]
    public async Task F25_A_bad_thread_key_is_refused_in_plain_words(string threadKey)
    {
        var (status, json) = await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = threadKey });
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["msg"]!).ShouldStartWith("thread_key must not");
    }

    [Fact]
    public async Task F25_A_thread_key_of_4_kB_or_with_NUL_is_refused()
    {
        (await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = new string('x', 4096) })).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var (status, json) = await server.Api.PostText("/agent/spawn", """{"thread_key":"a\u0000b"}""");
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["msg"]!).ShouldContain("NUL");
    }

    [Theory]
    [InlineData("x'); drop table sandboxes; --")]
    [InlineData("a/b%2Fc d")]
    [InlineData("slаck:C1:1.2")]
    public async Task F25_A_strange_thread_key_is_only_a_key(string threadKey)
    {
        threadKey += Http.NewThread();
        await server.Api.Queue(threadKey);
        var (status, json) = await server.Api.Get($"/agent/threads/{Uri.EscapeDataString(threadKey)}/executions");
        status.ShouldBe(HttpStatusCode.OK);
        ((string)json!["thread_key"]!).ShouldBe(threadKey);
        json["executions"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Spawns_at_once_make_one_assignment_and_one_sandbox()
    {
        var threadKey = Http.NewThread();
        var all = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => server.Api.Spawn(threadKey)));
        all.Select(r => (string)r["runtime_id"]!).Distinct().Count().ShouldBe(1);
        all.Select(r => (int)r["assignment_generation"]!).ShouldAllBe(g => g == 1);
    }

    [Fact]
    public async Task Every_thread_of_a_root_host_gets_a_uid_of_its_own()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root gives uids.");
        var keys = Enumerable.Range(0, 8).Select(_ => Http.NewThread()).ToArray();
        await Task.WhenAll(keys.Select(server.Api.Spawn));
        var uids = await server.Services.GetRequiredService<PostgresDatabase>().Query(
            $"select jail_uid from sandboxes where thread_key = any ({keys})", row => row.GetInt32(0), TestContext.Current.CancellationToken);
        uids.Distinct().Count().ShouldBe(8);
        uids.ShouldAllBe(uid => uid >= 200_000 && uid % 2 == 0);
    }

    [Fact]
    public async Task A_new_sandbox_takes_the_threads_folder_and_waits_for_the_uid_of_one_that_is_stopping()
    {
        var cancel = TestContext.Current.CancellationToken;
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await database.Execute($"update sandboxes set state = 'stopping' where thread_key = {threadKey}", cancel);
        var second = (string)(await server.Api.Spawn(threadKey))["runtime_id"]!;
        var rows = await database.Query(
            $"select sandbox_id, folder, jail_uid is null from sandboxes where thread_key = {threadKey}",
            row => (Id: row.GetString(0), Folder: row.GetString(1), NoUid: row.GetBoolean(2)), cancel);
        rows.Select(r => r.Folder).Distinct().Count().ShouldBe(1);
        rows.Single(r => r.Id == second).NoUid.ShouldBeTrue();
    }

    static StringContent Json(string threadKey) =>
        new(new JsonObject { ["thread_key"] = threadKey }.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
}
