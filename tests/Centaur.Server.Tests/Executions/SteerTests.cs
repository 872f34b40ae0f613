using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

/// <summary>What the API does with steering; that a harness gets it is shown end to end.</summary>
public sealed class SteerTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    [Fact]
    public async Task Words_for_an_execution_that_has_not_begun_are_queued_for_it()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);

        var steered = await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("more"));

        ((string?)steered["status"]).ShouldBe("steered");
        ((string?)steered["receipt"]).ShouldBe("queued");
        (await Waiting(thread)).ShouldBe(2);
    }

    [Fact]
    public async Task The_same_message_twice_is_one_message_and_other_words_under_its_id_are_refused()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("more", "steer-1"));

        await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("more", "steer-1"));
        var (status, json) = await server.Api.Post($"/agent/executions/{execution}/steer", Words("other", "steer-1"));

        (await Waiting(thread)).ShouldBe(2);
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("IDEMPOTENCY_PAYLOAD_MISMATCH");
    }

    [Fact]
    public async Task Without_words_and_without_messages_that_wait_steering_is_a_cancel()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await Database.Execute($"update agent_message_requests set delivered_execution_id = {execution} where thread_key = {thread}", Cancellation);

        var steered = await server.Api.PostOk($"/agent/executions/{execution}/steer", new JsonObject());

        ((string?)steered["status"]).ShouldBe("cancelled");
    }

    [Fact]
    public async Task Blocks_that_are_none_are_refused_under_their_own_name()
    {
        var execution = await server.Api.Queue(Http.NewThread());

        var (status, json) = await server.Api.Post($"/agent/executions/{execution}/steer", new JsonObject { ["content_blocks"] = new JsonArray(5) });

        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        json!["detail"]!.ToJsonString().ShouldBe("""[{"loc":["body","content_blocks"],"msg":"content_blocks must be an array of objects","type":"value_error"}]""");
    }

    [Fact]
    public async Task Steering_what_has_ended_says_that_nothing_changed()
    {
        var execution = await server.Api.Queue(Http.NewThread());
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());

        var steered = await server.Api.PostOk($"/agent/executions/{execution}/steer", new JsonObject());

        ((string?)steered["status"]).ShouldBe("cancelled");
        ((bool?)steered["idempotent"]).ShouldBe(true);
    }

    [Fact]
    public async Task Words_for_an_execution_that_has_ended_get_one_of_their_own_and_a_repeat_the_same_answer()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());

        var steered = await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("late", "steer-late"));
        var again = await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("late", "steer-late"));

        ((string?)steered["receipt"]).ShouldBe("queued");
        again.ToJsonString().ShouldBe(steered.ToJsonString());
        var (_, json) = await server.Api.Get($"/agent/threads/{thread}/executions");
        json!["executions"]!.AsArray().Select(e => (string?)e!["status"]).ShouldBe(["queued", "cancelled"]);
        (await Database.First(
            $"select asked_execution_id from agent_message_requests where thread_key = {thread} and message_id = 'steer-late'", row => row.GetString(0), Cancellation))
            .ShouldBe((string?)json["executions"]![0]!["execution_id"]);
    }

    [Fact]
    public async Task A_client_that_names_its_execution_like_a_follow_up_is_in_nobodys_way()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());
        var named = await server.Api.PostOk(
            "/agent/execute", new JsonObject { ["thread_key"] = thread, ["message"] = "mine", ["execute_id"] = $"steer:{execution}" }, HttpStatusCode.Accepted);
        await server.Api.PostOk($"/agent/executions/{(string?)named["execution_id"]}/cancel", new JsonObject());

        ((string?)(await server.Api.PostOk($"/agent/executions/{execution}/steer", Words("late")))["receipt"]).ShouldBe("queued");
    }

    [Fact]
    public async Task An_unknown_execution_is_404()
    {
        var (status, json) = await server.Api.Post("/agent/executions/exe_0/steer", new JsonObject());

        status.ShouldBe(HttpStatusCode.NotFound);
        ((string?)json!["detail"]).ShouldBe("Execution not found");
    }

    static JsonObject Words(string text, string? id = null) =>
        new() { ["message_id"] = id ?? $"steer-{Guid.CreateVersion7():N}", ["content_blocks"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }) };

    Task<long> Waiting(string thread) =>
        Database.First($"select count(*) from agent_message_requests where thread_key = {thread} and delivered_execution_id is null", row => row.GetInt64(0), Cancellation);
}
