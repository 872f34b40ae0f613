using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Deliveries;
using Centaur.Server.Platform.Database;
using Centaur.Server.Tests.Executions;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Deliveries;

/// <summary>The outbox over the API (contract §1.8). Each test delivers to a platform of its own.</summary>
public sealed class DeliveryTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    const string Claims = "/agent/final-deliveries/claim";

    readonly string platform = "p" + Guid.CreateVersion7().ToString("N")[^12..];

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    [Fact]
    public async Task A_turns_end_makes_its_delivery_ready_after_the_grace_and_after_the_terminal_events()
    {
        var (execution, threadKey) = await Queue();
        (await State(execution)).ShouldBe("awaiting_terminal");

        await server.Finish(execution, "PONG");

        (await State(execution)).ShouldBe("pending");
        (await Claim("one")).ShouldBeEmpty();
        (await Kinds(threadKey)).TakeLast(3).ShouldBe(["execution_summary", "execution_state", "final_delivery_ready"]);
        await Due(execution);
        var claimed = (await Claim("one")).Single()!;
        claimed.AsObject().Select(p => p.Key).ShouldBe(["execution_id", "thread_key", "trace_id", "traceparent", "attempt_count", "delivery", "final_payload"]);
        ((string)claimed["traceparent"]!).ShouldStartWith("00-" + ((string)claimed["trace_id"]!).Replace("-", "", StringComparison.Ordinal));
        ((int)claimed["attempt_count"]!).ShouldBe(1);
        ((string)claimed["delivery"]!["platform"]!).ShouldBe(platform);
        JsonNode.DeepEquals(claimed["final_payload"], new JsonObject
        {
            ["execution_id"] = execution, ["thread_key"] = threadKey, ["status"] = "completed", ["terminal_reason"] = "completed", ["result_text"] = "PONG",
        }).ShouldBeTrue(claimed["final_payload"]!.ToJsonString());
    }

    [Theory]
    [InlineData("dev", "{}")]
    [InlineData("slack", """{"slackbot_live_delivery":true}""")]
    [InlineData("slack", """{"slackbotv2_live_delivery":true}""")]
    public async Task What_its_author_reads_live_is_not_in_the_outbox(string to, string metadata)
    {
        var queued = await server.Api.PostOk("/agent/execute", Body(Http.NewThread(), to, metadata), HttpStatusCode.Accepted);
        (await State((string)queued["execution_id"]!)).ShouldBeNull();
    }

    [Fact]
    public async Task A_claim_is_its_owners_for_the_length_of_the_lease()
    {
        var execution = await Ready();
        (await Claim("one")).Count.ShouldBe(1);
        (await Claim("two")).ShouldBeEmpty();
        (await Post(execution, "heartbeat", """{"consumer_id":"one"}""")).Status.ShouldBe(HttpStatusCode.OK);
        var (status, json) = await Post(execution, "heartbeat", """{"consumer_id":"two"}""");
        status.ShouldBe(HttpStatusCode.Conflict);
        ((string)json!["detail"]!).ShouldBe("delivery not claimable");

        await Lapse(execution);
        (await Post(execution, "heartbeat", """{"consumer_id":"one"}""")).Status.ShouldBe(HttpStatusCode.Conflict);
        ((int)(await Claim("two")).Single()!["attempt_count"]!).ShouldBe(2);
        (await Post(execution, "delivered", """{"consumer_id":"one"}""")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await Post(execution, "failed", """{"consumer_id":"one","error":"x"}""")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await Post(execution, "delivered", """{"consumer_id":"two"}""")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Many_consumers_at_once_get_each_delivery_once()
    {
        var executions = new List<string>();
        for (var i = 0; i < 6; i++)
            executions.Add(await Ready());
        var claimed = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Claim($"c{i}", limit: 3)));
        claimed.SelectMany(c => c).Select(d => (string)d!["execution_id"]!).Order().ShouldBe(executions.Order());
    }

    [Fact]
    public async Task Delivered_is_said_once_and_told_in_the_log()
    {
        var (execution, threadKey) = await Queue();
        await server.Finish(execution, "PONG");
        // Whoever streamed the answer says so in the grace, without a claim.
        (await Post(execution, "delivered", "")).Json!.ToJsonString().ShouldBe($$"""{"ok":true,"execution_id":"{{execution}}"}""");
        (await Post(execution, "delivered", "{}")).Json!.ToJsonString().ShouldBe($$"""{"ok":true,"execution_id":"{{execution}}","idempotent":true}""");
        (await Kinds(threadKey)).Count(k => k == "final_delivery_delivered").ShouldBe(1);
        (await Post("exe_none", "delivered", "{}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_failure_is_tried_again_after_its_pause()
    {
        var execution = await Ready();
        await Claim("one");
        (await Post(execution, "failed", """{"consumer_id":"one","error":"503","retry_after_seconds":5}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await State(execution)).ShouldBe("pending");
        (await Claim("one")).ShouldBeEmpty();
        await Due(execution);
        (await Claim("one")).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(""" "error_class":"channel_not_found" """, "dead_letter", "channel_not_found: no")]
    [InlineData(""" "non_retryable":true """, "dead_letter", "no")]
    [InlineData(""" "error_class":"ratelimited" """, "pending", "ratelimited: no")]
    public async Task A_failure_that_no_repeat_mends_ends_it_and_needs_a_live_lease(string more, string state, string error)
    {
        var execution = await Ready();
        await Claim("one");
        await Lapse(execution);
        var body = $$"""{"consumer_id":"one","error":"no",{{more}}}""";
        (await Post(execution, "failed", body)).Status.ShouldBe(HttpStatusCode.Conflict);
        await Claim("one");
        (await Post(execution, "failed", body)).Status.ShouldBe(HttpStatusCode.OK);
        (await State(execution)).ShouldBe(state);
        (await Database.First($"select last_error from agent_final_delivery_outbox where execution_id = {execution}", row => row.GetString(0), Cancel)).ShouldBe(error);
    }

    [Fact]
    public async Task A_dead_letter_is_listed_and_delivered_once_an_operator_has_offered_it_again()
    {
        var execution = await Ready();
        (await Retry(execution)).ShouldBe(HttpStatusCode.Conflict);
        await Claim("one");
        await Post(execution, "failed", """{"consumer_id":"one","error":"no such channel","error_class":"channel_not_found"}""");
        (await Claim("one")).ShouldBeEmpty();

        var letter = (await server.Api.Get("/admin/dead-letters")).Json!["dead_letters"]!.AsArray().Single(l => (string)l!["execution_id"]! == execution)!;
        ((string)letter["last_error"]!, (int)letter["attempt_count"]!, (string)letter["delivery"]!["platform"]!).ShouldBe(("channel_not_found: no such channel", 1, platform));
        (await server.Api.Get("/admin/dead-letters?limit=0")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);

        (await Retry(execution)).ShouldBe(HttpStatusCode.OK);

        ((int)(await Claim("one")).Single()!["attempt_count"]!).ShouldBe(1);
        (await Post(execution, "delivered", """{"consumer_id":"one"}""")).Status.ShouldBe(HttpStatusCode.OK);
        (await Retry(execution)).ShouldBe(HttpStatusCode.Conflict);
        (await Retry("exe_none")).ShouldBe(HttpStatusCode.NotFound);

        async Task<HttpStatusCode> Retry(string id) => (await server.Api.Post($"/admin/dead-letters/{id}/retry", new JsonObject())).Status;
    }

    [Fact]
    public async Task The_last_attempt_that_fails_ends_it()
    {
        var execution = await Ready();
        await Database.Execute($"update agent_final_delivery_outbox set attempt_count = 49 where execution_id = {execution}", Cancel);
        await Claim("one");
        await Post(execution, "failed", """{"consumer_id":"one","error":"again"}""");
        (await State(execution)).ShouldBe("dead_letter");
    }

    [Fact]
    public async Task An_execution_that_is_cancelled_in_the_queue_is_told_to_its_author()
    {
        var (execution, _) = await Queue();
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());
        await Due(execution);
        var payload = (await Claim("one")).Single()!["final_payload"]!;
        ((string)payload["status"]!, (string)payload["error_text"]!).ShouldBe(("cancelled", "cancelled"));
        payload["suppress_final_delivery"].ShouldBeNull();
    }

    [Fact]
    public async Task A_cancel_that_makes_room_for_a_steered_turn_is_suppressed()
    {
        var (execution, _) = await Queue();
        await server.Api.PostOk(
            $"/agent/executions/{execution}/steer",
            new JsonObject
            {
                ["content_blocks"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "rather this" }), ["metadata"] = new JsonObject { ["steer_replacement"] = true },
            });
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());
        await Due(execution);
        ((bool)(await Claim("one")).Single()!["final_payload"]!["suppress_final_delivery"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task F28_a_sandbox_may_not_touch_the_outbox()
    {
        var thread = Http.NewThread();
        var spawned = await server.Api.Spawn(thread);
        using var sandbox = server.Client(await server.Services.GetRequiredService<SandboxTokens>().Mint(thread, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken));
        (await sandbox.Post(Claims, new JsonObject { ["consumer_id"] = "me" })).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.Post("/agent/final-deliveries/exe_1/delivered", new JsonObject())).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("""{"limit":1}""")]
    [InlineData("""{"consumer_id":""}""")]
    [InlineData("""{"consumer_id":"a","limit":21}""")]
    [InlineData("""{"consumer_id":"a","lease_seconds":14}""")]
    [InlineData("""{"consumer_id":"a","lease_seconds":601}""")]
    public async Task A_claim_beyond_the_contract_is_422(string body) =>
        (await server.Api.PostText(Claims, body)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);

    [Fact]
    public async Task The_watchdog_makes_ready_what_was_forgotten_and_tells_once_of_what_is_late()
    {
        var (execution, threadKey) = await Queue();
        await Database.Execute(
            $"""
            update agent_execution_requests set status = 'failed_permanent', terminal_reason = 'harness_error', error_text = 'it broke', completed_at = clock_timestamp() - interval '1 hour'
            where execution_id = {execution}
            """,
            Cancel);
        var watchdog = server.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<DeliveryWatchdog>().Single();

        await watchdog.Look(Cancel);
        (await State(execution)).ShouldBe("pending");
        (await Kinds(threadKey)).ShouldContain("final_delivery_ready");
        (await Kinds(threadKey)).ShouldNotContain("final_delivery_overdue");

        await Database.Execute($"update agent_final_delivery_outbox set ready_at = clock_timestamp() - interval '1 hour' where execution_id = {execution}", Cancel);
        await watchdog.Look(Cancel);
        await watchdog.Look(Cancel);
        (await Kinds(threadKey)).Count(k => k == "final_delivery_overdue").ShouldBe(1);
    }

    [Fact]
    public async Task The_watchdog_gives_up_what_no_deliverer_survives()
    {
        var execution = await Ready();
        await Database.Execute($"update agent_final_delivery_outbox set attempt_count = 49 where execution_id = {execution}", Cancel);
        await Claim("one");
        await Lapse(execution);
        (await Claim("two")).ShouldBeEmpty();
        await server.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<DeliveryWatchdog>().Single().Look(Cancel);
        (await State(execution)).ShouldBe("dead_letter");
    }

    async Task<(string Execution, string ThreadKey)> Queue()
    {
        var threadKey = Http.NewThread();
        return ((string)(await server.Api.PostOk("/agent/execute", Body(threadKey, platform, "{}"), HttpStatusCode.Accepted))["execution_id"]!, threadKey);
    }

    async Task<string> Ready()
    {
        var (execution, _) = await Queue();
        await server.Finish(execution, "PONG");
        await Due(execution);
        return execution;
    }

    static JsonObject Body(string threadKey, string to, string metadata) => new()
    {
        ["thread_key"] = threadKey, ["message"] = "hello", ["delivery"] = new JsonObject { ["platform"] = to, ["channel"] = "C1" }, ["metadata"] = JsonNode.Parse(metadata),
    };

    Task Due(string execution) =>
        Database.Execute($"update agent_final_delivery_outbox set next_attempt_at = clock_timestamp() where execution_id = {execution}", Cancel);

    Task Lapse(string execution) =>
        Database.Execute($"update agent_final_delivery_outbox set lease_expires_at = clock_timestamp() - interval '1 second' where execution_id = {execution}", Cancel);

    async Task<JsonArray> Claim(string consumer, int limit = 1) =>
        (await server.Api.PostOk(Claims, new JsonObject { ["consumer_id"] = consumer, ["limit"] = limit, ["platform"] = platform }))["deliveries"]!.AsArray();

    Task<(HttpStatusCode Status, JsonNode? Json)> Post(string execution, string what, string body) => server.Api.PostText($"/agent/final-deliveries/{execution}/{what}", body);

    async Task<string?> State(string execution) =>
        await Database.First($"select state from agent_final_delivery_outbox where execution_id = {execution}", row => row.GetString(0), Cancel);

    Task<IReadOnlyList<string>> Kinds(string threadKey) =>
        Database.Query($"select event_kind from agent_execution_events where thread_key = {threadKey} order by event_id", row => row.GetString(0), Cancel);
}
