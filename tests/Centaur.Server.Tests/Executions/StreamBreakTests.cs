using System.Text.Json.Nodes;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Executions;

/// <summary>What becomes of a turn whose attachment breaks while its sandbox lives (wire contract §2.1), and when it does not.</summary>
public sealed class StreamBreakTests(PostgresServer postgres)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_that_breaks_is_taken_up_in_place_and_the_turn_is_given_once()
    {
        await using var worker = await TestWorker.Start(postgres, async (keeper, _) =>
        {
            await keeper.Say("""{"type":"status","message":"before"}""");
            keeper.Break();
            await keeper.Answer("PONG");
        });
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        (await worker.End(execution)).Text("result_text").ShouldBe("PONG");

        worker.Keepers.Started.Single().Inputs.Count.ShouldBe(1);
        var events = await worker.Events(execution);
        events.Count(e => e.Json.GetRawText().Contains("before", StringComparison.Ordinal)).ShouldBe(1);
        events.ShouldNotContain(e => e.Json.GetRawText().Contains("retry_wait", StringComparison.Ordinal));
        (await Breaks(worker, execution)).ShouldBe((1, true));
    }

    [Fact]
    public async Task A_stream_that_breaks_again_and_again_gives_the_execution_back_which_is_then_claimed_and_attached_without_a_second_injection()
    {
        await using var worker = await TestWorker.Start(
            postgres,
            async (keeper, _) =>
            {
                await keeper.Say("""{"type":"status","message":"before"}""");
                keeper.AttachesToCut = 3;
                keeper.Break();
                while (keeper.Attaches < 5)
                    await Task.Delay(10, Cancellation);
                await keeper.Answer("PONG");
            },
            options => options with { ReattachMost = 1, StreamRetry = TimeSpan.FromMilliseconds(300) });
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        await worker.Until(execution, "retry_wait");
        var waiting = await worker.Database.First(
            $"select worker_id is null, retry_at > last_stream_break_at, silence_deadline_at > clock_timestamp() + interval '9 minutes' from agent_execution_requests where execution_id = {execution}",
            row => (row.GetBoolean(0), row.GetBoolean(1), row.GetBoolean(2)),
            Cancellation);
        waiting.ShouldBe((true, true, true));
        (await worker.End(execution)).Text("result_text").ShouldBe("PONG");

        worker.Keepers.Started.Single().Inputs.Count.ShouldBe(1);
        var events = await worker.Events(execution);
        events.Where(e => e.Kind == "execution_state" && e.Json.GetProperty("status").GetString() == "retry_wait").Select(e => e.Json.GetProperty("stream_break_count").GetInt32())
            .ShouldContain(2);
        events.Count(e => e.Json.GetRawText().Contains("before", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_sandbox_that_is_gone_is_replaced_and_its_turn_is_tried_once_more()
    {
        var deaths = 0;
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => deaths++ == 0 ? keeper.Die() : keeper.Answer("PONG"));
        var execution = await worker.Server.Api.Queue(Http.NewThread());

        (await worker.End(execution)).Text("result_text").ShouldBe("PONG");

        worker.Keepers.Started.Select(k => k.Inputs.Count).ShouldBe([1, 1]);
        worker.Keepers.Started[1].Inputs[0].ShouldContain("your last attempt at this turn was cut off");
    }

    [Fact]
    public async Task An_execution_whose_end_cannot_be_written_is_tried_until_it_can_and_the_others_go_on()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer("PONG"));
        var thread = "refused:" + Http.NewThread();
        await worker.Database.Execute(
            $"""
            create function refuse_end() returns trigger language plpgsql as
            'begin perform nextval(''refusals''); raise exception ''no end is taken here''; end'
            """,
            Cancellation);
        await worker.Database.Execute($"create sequence refusals", Cancellation);
        await worker.Database.Execute(
            $"""
            create trigger refuse before update on agent_execution_requests for each row
            when (new.completed_at is not null and starts_with(new.thread_key, 'refused:')) execute function refuse_end()
            """,
            Cancellation);
        var execution = await worker.Server.Api.Queue(thread);

        while (await worker.Database.First($"select last_value from refusals", row => row.GetInt64(0), Cancellation) < 4)
            await Task.Delay(10, Cancellation);
        (await worker.End(await worker.Server.Api.Queue(Http.NewThread()))).Text("result_text").ShouldBe("PONG");
        (await worker.Status(execution)).ShouldNotBe("completed");
        await worker.Database.Execute($"drop trigger refuse on agent_execution_requests", Cancellation);

        (await worker.End(execution)).Text("result_text").ShouldBe("PONG");
        worker.Keepers.Started.Select(keeper => keeper.Inputs.Count).ShouldBe([1, 1]);
    }

    [Fact]
    public async Task A_cancel_ends_an_execution_whose_keeper_cannot_be_reached()
    {
        await using var worker = await TestWorker.Start(postgres, Unreachable, options => options with { ReattachMost = 1, StreamRetry = TimeSpan.FromSeconds(30) });
        var thread = Http.NewThread();
        var execution = await worker.Server.Api.Queue(thread);
        await worker.Until(execution, "retry_wait");

        await worker.Server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());

        (await worker.End(execution)).Text("status").ShouldBe("cancelled");
        (await Sandbox(worker, thread)).ShouldNotBe("claimed");
    }

    [Fact]
    public async Task The_last_event_of_a_cancelled_turn_says_that_the_words_which_steered_it_take_the_place_of_its_answer()
    {
        await using var worker = await TestWorker.Start(postgres, (_, _) => Task.CompletedTask);
        var execution = await worker.Server.Api.Queue(Http.NewThread());
        await worker.Until(execution, "running");
        var words = new JsonObject
        {
            ["content_blocks"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "rather this" }), ["metadata"] = new JsonObject { ["steer_replacement"] = true },
        };

        await worker.Server.Api.PostOk($"/agent/executions/{execution}/steer", words);
        await worker.Server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());
        (await worker.End(execution)).Text("status").ShouldBe("cancelled");

        var last = (await worker.Events(execution)).Last(e => e.Kind == "execution_state").Json;
        last.GetProperty("suppress_final_delivery").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task An_execution_whose_keeper_is_never_reached_again_ends_at_the_hard_limit_of_its_whole_life()
    {
        await using var worker = await TestWorker.Start(
            postgres, Unreachable, options => options with { ReattachMost = 1, StreamRetry = TimeSpan.FromMilliseconds(100), Hard = TimeSpan.FromSeconds(2) });
        var thread = Http.NewThread();
        var execution = await worker.Server.Api.Queue(thread);

        var ended = await worker.End(execution);

        (ended.Text("status"), ended.Text("terminal_reason")).ShouldBe(("failed_permanent", "hard_deadline_exceeded"));
        (await Sandbox(worker, thread)).ShouldNotBe("claimed");
        (await worker.Events(execution)).ShouldContain(e => e.Kind == "execution_state" && e.Json.GetProperty("status").GetString() == "retry_wait");
    }

    static Task Unreachable(FakeKeeper keeper, string turn)
    {
        keeper.AttachesToCut = int.MaxValue;
        keeper.Break();
        return Task.CompletedTask;
    }

    static Task<(int, bool)> Breaks(TestWorker worker, string execution) =>
        worker.Database.First(
            $"select stream_break_count, last_stream_break_at is not null from agent_execution_requests where execution_id = {execution}",
            row => (row.GetInt32(0), row.GetBoolean(1)),
            Cancellation);

    static Task<string?> Sandbox(TestWorker worker, string thread) =>
        worker.Database.First($"select state from sandboxes where thread_key = {thread} order by created_at limit 1", row => row.GetString(0), Cancellation);
}
