using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Centaur.Protocol;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Platform.Http;

public sealed class RequestTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{")]
    [InlineData("not json")]
    [InlineData("")]
    [InlineData("""{"thread_key":"a","thread_key":"b"}""")]
    [InlineData("""{"thread_key":NaN}""")]
    public async Task F26_A_body_that_is_not_JSON_is_400(string body)
    {
        var (status, json) = await server.Api.PostText("/agent/spawn", body);
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldStartWith("The body cannot be read as JSON");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("""{"thread_key":7}""")]
    [InlineData("""{"thread_key":null}""")]
    [InlineData("""{"thread_key":"a","harness":{}}""")]
    [InlineData("""{"thread_key":"\ud800"}""")]
    [InlineData("""{"thread_key":"a","\udc00":1}""")]
    [InlineData("""{"thread_key":"a","metadata":{"\ud800x":1,"\ud800x":2}}""")]
    public async Task F26_A_body_of_another_shape_is_422_with_its_place(string body)
    {
        var (status, json) = await server.Api.PostText("/agent/spawn", body);
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["loc"]![0]!).ShouldBe("body");
    }

    [Theory]
    [InlineData("""{"thread_key":"a","thread_key":"a"}""")]
    [InlineData("""{"thread_key":"a","thread\u005fkey":"b"}""")]
    [InlineData("""{"thread_key":"a","metadata":{"deep":[{"x":1,"y":2,"x":3}]}}""")]
    public async Task F26_A_key_that_stands_twice_is_400_wherever_and_however_it_is_written(string body)
    {
        var (status, json) = await server.Api.PostText("/agent/spawn", body);
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldContain("repeats a key");
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("\"NaN\"")]
    [InlineData("1.5")]
    [InlineData("2147483648")]
    [InlineData("1e2")]
    public async Task F26_What_is_no_number_is_no_generation(string number) =>
        (await server.Api.PostText("/agent/message", $$"""{"thread_key":"a","assignment_generation":{{number}},"parts":[{"type":"text","text":"x"}]}""")).Status
            .ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.UnprocessableEntity);

    [Fact]
    public async Task F26_What_a_client_may_not_set_is_ignored_as_every_unknown_field_is()
    {
        const string Everything =
            """
            "id":7,"state":"released","status":"completed","worker_id":"me","fencing_generation":99,"durable_turn_id":"turn-mine","result_text":"forged","completed_at":"2020-01-01","attempts":9,
            "requested_by":"root","runtime_id":"sbx-mine","sandbox_id":"sbx-mine","jail_uid":0,"is_admin":true,"scopes":["admin"],"delivered_execution_id":"exe-mine","steers_execution_id":"exe-mine",
            "created_at":"2020-01-01","__proto__":{"admin":true}
            """;
        var thread = Tests.Http.NewThread();
        var (spawned, runtime) = await server.Api.PostText("/agent/spawn", $$"""{"thread_key":"{{thread}}",{{Everything}}}""");
        spawned.ShouldBe(HttpStatusCode.OK);
        ((string)runtime!["runtime_id"]!).ShouldNotBe("sbx-mine");
        (await server.Api.PostText("/agent/message", $$"""{"thread_key":"{{thread}}","assignment_generation":1,"message_id":"m","parts":[{"type":"text","text":"x"}],{{Everything}}}""")).Status.ShouldBe(HttpStatusCode.OK);
        var (queued, execution) = await server.Api.PostText("/agent/execute", $$"""{"thread_key":"{{thread}}","assignment_generation":1,{{Everything}}}""");
        queued.ShouldBe(HttpStatusCode.Accepted);

        var view = (await server.Api.Get($"/agent/executions/{execution!["execution_id"]}")).Json!;
        ((string)view["status"]!).ShouldBe("queued");
        view["completed_at"].ShouldBeNull();
        view["result_text"].ShouldBeNull();
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        (await database.First(
            $"select fencing_generation, worker_id, attempts, metadata ->> 'requested_by' <> 'root' from agent_execution_requests where thread_key = {thread}",
            row => (row.GetInt64(0), row.IsDBNull(1), row.GetInt32(2), row.GetBoolean(3)), Cancel)).ShouldBe((0, true, 0, true));
        (await database.First($"select delivered_execution_id is null and steers_execution_id is null from agent_message_requests where thread_key = {thread}", row => row.GetBoolean(0), Cancel)).ShouldBeTrue();
        var (_, key) = await server.Api.PostText("/admin/api-keys", $$"""{"name":"plain","scopes":["agent:status"],"key":"aiv2_chosen","key_prefix":"aiv2_cho","is_admin":true,"id":"00000000-0000-0000-0000-000000000001"}""");
        ((string)key!["key"]!).ShouldNotBe("aiv2_chosen");
        (await server.Client((string)key["key"]!).Get("/admin/api-keys")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task F26_Depth_is_bounded()
    {
        var body = $$"""{"thread_key":"a","metadata":{{string.Concat(Enumerable.Repeat("[", 200))}}{{string.Concat(Enumerable.Repeat("]", 200))}}}""";
        (await server.Api.PostText("/agent/spawn", body)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task F26_A_huge_number_is_refused()
    {
        var (status, json) = await server.Api.PostText("/agent/message", """{"thread_key":"a","assignment_generation":99999999999999999999}""");
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["msg"]!).ShouldContain("assignment_generation must be a whole number");
    }

    [Theory]
    [InlineData("1e131073")]
    [InlineData("1e-20000")]
    [InlineData("0e99999999999999999999")]
    [InlineData("1e10000,1e10000,1e10000,1e10000,1e10000,1e10000,1e10000")]
    public async Task F26_A_number_that_the_database_cannot_hold_is_422_wherever_it_stands(string number)
    {
        var (status, json) = await server.Api.PostText("/agent/execute", $$"""{"thread_key":"a","message":"hello","metadata":{"deep":[{{number}}] } }""");
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["msg"]!).ShouldStartWith("A number is longer than");
    }

    [Fact]
    public async Task A_body_of_50_MB_is_413()
    {
        using var content = new ByteArrayContent(new byte[50_000_000]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/agent/message") { Content = content };
        // Asked first, the server need not swallow what it refuses.
        request.Headers.ExpectContinue = true;
        using var response = await server.Api.SendAsync(request, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await response.Content.ReadAsStringAsync(Cancel)).ShouldContain("larger than this server takes");
    }

    [Fact]
    public async Task A_trailing_slash_and_an_unknown_path_are_404_and_a_wrong_method_is_405()
    {
        (await server.Api.Get("/health/")).Status.ShouldBe(HttpStatusCode.NotFound);
        var (status, json) = await server.Api.Get("/nowhere");
        status.ShouldBe(HttpStatusCode.NotFound);
        json!.ToJsonString().ShouldBe("""{"detail":"Not Found"}""");
        (status, json) = await server.Api.Get("/agent/spawn");
        status.ShouldBe(HttpStatusCode.MethodNotAllowed);
        json!.ToJsonString().ShouldBe("""{"detail":"Method Not Allowed"}""");
    }

    [Fact]
    public async Task The_public_listener_serves_health_alone()
    {
        (await server.Public.Get("/health")).Status.ShouldBe(HttpStatusCode.OK);
        foreach (var path in new[] { "/health/ready", "/openapi.json", "/agent/threads", "/admin/api-keys" })
            (await server.Public.Get(path)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:9", HttpStatusCode.OK)]
    [InlineData("[::1]", HttpStatusCode.OK)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    public async Task Only_our_own_host_names_are_served(string host, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Host = host;
        using var response = await server.Api.SendAsync(request, Cancel);
        response.StatusCode.ShouldBe(expected);
        response.Headers.Contains("Server").ShouldBeFalse();
    }

    [Fact]
    public async Task A_trace_id_that_is_given_comes_back_and_becomes_the_threads()
    {
        var trace = Guid.CreateVersion7();
        var threadKey = Tests.Http.NewThread();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/agent/spawn") { Content = Json($$"""{"thread_key":"{{threadKey}}"}""") };
        request.Headers.Add("X-Trace-Id", trace.ToString());
        using var response = await server.Api.SendAsync(request, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("X-Trace-Id").Single().ShouldBe(trace.ToString());
        response.Headers.GetValues("traceparent").Single().ShouldStartWith($"00-{trace:N}-");
        using var later = await server.Api.GetAsync($"/agent/threads/{Uri.EscapeDataString(threadKey)}/executions", Cancel);
        later.Headers.GetValues("X-Trace-Id").Single().ShouldBe(trace.ToString());
    }

    [Fact]
    public async Task Configured_origins_may_call_and_others_may_not()
    {
        await using var own = new ServerFixture(postgres) { ListenYaml = "  cors_origins: [\"https://console.example\"]\n" };
        await own.Start(Cancel);
        (await Origin(own, "https://console.example")).ShouldBe("https://console.example");
        (await Origin(own, "https://evil.example")).ShouldBeNull();

        static async Task<string?> Origin(ServerFixture server, string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Options, "/agent/spawn");
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            using var response = await server.Client().SendAsync(request, TestContext.Current.CancellationToken);
            return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
        }
    }

    [Fact]
    public async Task A_database_outage_is_503_with_Retry_After_and_passes()
    {
        await using var own = new ServerFixture(postgres);
        await own.Start(Cancel);
        (await own.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
        await postgres.Interrupt(
            own.ConnectionString,
            async () =>
            {
                using var response = await own.Api.PostAsync("/agent/spawn", Json("""{"thread_key":"outage"}"""), Cancel);
                response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
                response.Headers.RetryAfter.ShouldNotBeNull();
                (await response.Content.ReadAsStringAsync(Cancel)).ShouldBe("""{"detail":"The database cannot be reached. Try again: under the same id nothing is done twice."}""");
                (await own.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
                (await own.Api.Get("/health")).Status.ShouldBe(HttpStatusCode.OK);
            },
            Cancel);
        (await own.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
        (await own.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = "outage" })).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task F13_a_database_whose_disk_is_full_is_507_and_half_of_nothing_is_stored()
    {
        await using var own = new ServerFixture(postgres);
        await own.Start(Cancel);
        var database = own.Services.GetRequiredService<PostgresDatabase>();
        // The last write of a spawn meets the full disk: what was written before it in the transaction must go too.
        await database.Execute($"create function full_disk() returns trigger language plpgsql as 'begin raise exception using errcode = ''disk_full''; end'", Cancel);
        await database.Execute($"create trigger full_disk before insert on agent_spawn_requests execute function full_disk()", Cancel);

        var (status, refused) = await own.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = "full" });

        ((int)status).ShouldBe(507);
        ((string?)refused!["detail"]).ShouldBe("The database's disk is full. Nothing was stored.");
        (await database.First($"select count(*) from agent_runtime_assignments", row => row.GetInt64(0), Cancel)).ShouldBe(0);
        await database.Execute($"drop trigger full_disk on agent_spawn_requests", Cancel);
        (await own.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = "full" })).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_state_file_says_where_the_server_listens_until_it_stops()
    {
        await using var own = new ServerFixture(postgres);
        await own.Start(Cancel);
        var file = own.Layout.ServerStateFile;
        var state = System.Text.Json.JsonSerializer.Deserialize(await File.ReadAllTextAsync(file, Cancel), ProtocolJson.Default.ServerState)!;
        new Uri(state.Api).ShouldBe(own.Api.BaseAddress);
        state.Process.Pid.ShouldBe(Environment.ProcessId);
        state.Sandboxes.ShouldBe($"unix:{own.Layout.SandboxApiSocket}");
        await own.Stop();
        File.Exists(file).ShouldBeFalse();
    }

    [Fact]
    public async Task A_body_of_another_type_is_415_for_every_valid_key()
    {
        var key = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "narrow", ["scopes"] = new JsonArray("agent") });
        using var client = server.Client((string)key["key"]!);
        using var content = new StringContent("{}");
        using var response = await client.PostAsync("/agent/spawn", content, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await response.Content.ReadAsStringAsync(Cancel)).ShouldContain("application/json");
        (await server.Client().PostAsync("/agent/spawn", content, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    [Theory]
    [InlineData("/agent/final-deliveries/claim", """{"consumer_id":5}""", "consumer_id")]
    [InlineData("/agent/execute", """{"thread_key":5}""", "thread_key")]
    [InlineData("/agent/title", """{"thread_key":5}""", "thread_key title")]
    [InlineData("/agent/messages", """{"thread_key":5,"assignment_generation":"x"}""", "thread_key assignment_generation")]
    public async Task A_field_is_listed_once_however_often_it_was_asked_for(string path, string body, string fields)
    {
        var (status, json) = await server.Api.PostText(path, body);

        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        json!["detail"]!.AsArray().Select(error => (string)error!["loc"]![1]!).ShouldBe(fields.Split(' '));
        ((string)json["detail"]![0]!["msg"]!).ShouldBe($"{fields.Split(' ')[0]} must be a string");
    }
}
