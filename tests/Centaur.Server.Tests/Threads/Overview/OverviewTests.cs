using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Threads.Overview;

public sealed class OverviewTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detail_tells_who_wrote_what_last_and_what_it_used()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await server.Api.PostOk("/agent/message", new JsonObject
        {
            ["thread_key"] = threadKey, ["assignment_generation"] = 1, ["user_id"] = "U1", ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "What is new?" }),
        });
        var execution = (string)(await server.Api.PostOk(
            "/agent/execute", new JsonObject { ["thread_key"] = threadKey, ["assignment_generation"] = 1 }, HttpStatusCode.Accepted))["execution_id"]!;
        var turn = """{"usage":{"input_tokens":100,"output_tokens":20,"cached_input_tokens":0}}""";
        await server.Services.GetRequiredService<PostgresDatabase>().Execute(
            $"update agent_execution_requests set turn_state = {new Jsonb(turn)} where execution_id = {execution}", Cancel);

        var (status, detail) = await server.Api.Get($"/agent/threads/detail?key={Uri.EscapeDataString(threadKey)}");

        status.ShouldBe(HttpStatusCode.OK);
        ((string)detail!["slack_thread_key"]!).ShouldBe(threadKey);
        ((string)detail["state"]!).ShouldBe("idle");
        ((int)detail["message_count"]!).ShouldBe(1);
        ((string)detail["last_user_message"]!).ShouldBe("What is new?");
        detail["participants"]!.ToJsonString().ShouldBe("""[{"id":"U1","name":null,"username":null,"avatar_url":null}]""");
        detail["token_usage"]!.ToJsonString().ShouldBe("""{"total_tokens":120,"input_tokens":100,"output_tokens":20,"cost_usd":null,"models":[]}""");
    }

    [Fact]
    public async Task Detail_of_an_unknown_thread_is_404_and_without_a_key_422()
    {
        (await server.Api.Get("/agent/threads/detail?key=nobody")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await server.Api.Get("/agent/threads/detail")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Status_follows_a_thread_from_not_found_to_stopped()
    {
        var threadKey = Http.NewThread();
        var path = $"/agent/status?key={Uri.EscapeDataString(threadKey)}";
        (await server.Api.Get(path)).Json!.ToJsonString().ShouldBe($$"""{"thread_key":"{{threadKey}}","status":"not_found","pending_messages":0}""");

        var runtime = (string)(await server.Api.Spawn(threadKey))["runtime_id"]!;
        await server.Api.Queue(threadKey);
        var (_, spawned) = await server.Api.Get(path);
        ((string)spawned!["status"]!).ShouldBe("created");
        ((string)spawned["sandbox_id"]!).ShouldBe(runtime[..12]);
        spawned.AsObject().TryGetPropertyValue("engine", out var engine).ShouldBeTrue();
        engine.ShouldBeNull();
        ((int)spawned["pending_messages"]!).ShouldBe(1);
        ((string)spawned["active_assignment"]!["runtime_id"]!).ShouldBe(runtime);
        ((string)spawned["active_assignment"]!["state"]!).ShouldBe("active");

        await server.Api.PostOk("/agent/stop", new JsonObject { ["thread_key"] = threadKey });
        var (status, stopped) = await server.Api.Get(path);
        status.ShouldBe(HttpStatusCode.OK);
        ((string)stopped!["status"]!).ShouldBe("stopped");
        ((string)stopped["state"]!).ShouldBe("stopped");
    }

    [Fact]
    public async Task Runtime_says_what_a_thread_is_assigned_to()
    {
        var threadKey = Http.NewThread();
        var spawned = await server.Api.Spawn(threadKey);

        var (_, runtime) = await server.Api.Get($"/agent/runtime?key={Uri.EscapeDataString(threadKey)}");

        runtime!.ToJsonString().ShouldBe(
            $$$"""{"thread_key":"{{{threadKey}}}","assignment_generation":1,"runtime_id":"{{{spawned["runtime_id"]}}}","harness":"codex","engine":null,"persona_id":null,"persona":null,"overlay":{"loaded":false,"mount_api":null,"mount_sandbox":null,"image":null},"available_personas":[]}""");
    }

    [Fact]
    public async Task A_title_names_the_thread_in_the_list()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);

        (await server.Api.PostOk("/agent/title", new JsonObject { ["thread_key"] = threadKey, ["title"] = "Überblick" })).ToJsonString().ShouldBe("""{"ok":true}""");

        var (_, list) = await server.Api.Get("/agent/threads");
        ((string)list!["threads"]!.AsArray().Single(t => (string)t!["slack_thread_key"]! == threadKey)!["thread_name"]!).ShouldBe("Überblick");
        (await server.Api.Post("/agent/title", new JsonObject { ["thread_key"] = Http.NewThread(), ["title"] = "lost" })).Status.ShouldBe(HttpStatusCode.NotFound);
        (await server.Api.Post("/agent/title", new JsonObject { ["thread_key"] = threadKey, ["title"] = "a\u001bb" })).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [InlineData("/agent/connect")]
    [InlineData("/agent/reconnect")]
    public async Task What_was_removed_says_so(string path)
    {
        var (status, json) = await server.Api.Post(path, new JsonObject());

        status.ShouldBe(HttpStatusCode.Gone);
        json.Code().ShouldBe("LEGACY_ENDPOINT_REMOVED");
    }

    [Theory]
    [InlineData("/agent/status?key=")]
    [InlineData("/agent/runtime?key=")]
    public async Task F27_A_sandbox_looks_at_its_own_thread_alone(string path)
    {
        var (threadKey, other) = (Http.NewThread(), Http.NewThread());
        var spawned = await server.Api.Spawn(threadKey);
        using var sandbox = server.Sandbox(await server.Services.GetRequiredService<SandboxTokens>().Mint(threadKey, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken));

        (await sandbox.Get(path + Uri.EscapeDataString(threadKey))).Status.ShouldBe(HttpStatusCode.OK);
        (await sandbox.Get(path + Uri.EscapeDataString(other))).Status.ShouldBe(HttpStatusCode.Forbidden);
    }
}
