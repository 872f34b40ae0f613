using System.Text.Json;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions.Observations;

/// <summary>What a turn leaves in the log besides its raw events (contract §2.3).</summary>
public sealed class ObservationTests(PostgresServer postgres)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Observations_follow_their_raw_event_and_name_whence_they_come_and_the_summary_counts_them()
    {
        await using var worker = await TestWorker.Start(postgres, async (keeper, _) =>
        {
            await keeper.Say("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I look."}}""");
            await keeper.Say(
                """{"type":"assistant","message":{"role":"assistant","model":"m-1","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"bash","input":{"command":"ls"}}]}}""");
            await keeper.Say("""{"type":"tool","content":[{"tool_use_id":"t1","content":"a","is_error":false}]}""");
            await keeper.Say("""{"type":"usage","usage":{"input_tokens":100,"output_tokens":20,"cost_usd":0.5},"model":"m-1","authoritative":true}""");
            await keeper.Answer("PONG");
        });
        var thread = Http.NewThread();
        var execution = await worker.Server.Api.Queue(thread);
        await worker.End(execution);

        var events = await worker.Events(execution);

        events.Select(e => e.Kind == "amp_raw_event" ? "raw " + e.Json.GetProperty("type").GetString() : e.Kind).ShouldBe(
        [
            "execution_state", "execution_state", "execution_started",
            "raw content_block_delta",
            "raw assistant", "assistant_text_observed", "assistant_tool_use_observed",
            "raw tool", "tool_result_observed",
            "raw usage", "usage_observed",
            "raw assistant", "assistant_text_observed",
            "raw result", "result_observed",
            "execution_summary", "execution_state",
        ]);
        var use = events.Single(e => e.Kind == "assistant_tool_use_observed").Json;
        Text(use, "type").ShouldBe("obs.assistant_tool_use");
        (Text(use, "execution_id"), Text(use, "thread_key"), use.GetProperty("assignment_generation").GetInt32(), Text(use, "harness"), Text(use, "prompt_ref"))
            .ShouldBe((execution, thread, 1, "built-in", "harness:built-in"));
        Text(use, "prompt_sha").Length.ShouldBe(64);
        Text(use, "tool_name").ShouldBe("bash");

        var started = events.Single(e => e.Kind == "execution_started").Json;
        Text(started, "runtime_id").ShouldBe(worker.Keepers.Started.Single().SandboxId);
        started.GetProperty("execution_sequence").GetInt32().ShouldBe(1);
        started.GetProperty("queue_delay_s").GetDouble().ShouldBeGreaterThanOrEqualTo(0);

        var summary = events.Single(e => e.Kind == "execution_summary").Json;
        (Text(summary, "type"), Text(summary, "status"), Text(summary, "terminal_reason")).ShouldBe(("execution.summary", "completed", "completed"));
        summary.GetProperty("models").EnumerateArray().Select(m => m.GetString()).ShouldBe(["m-1", "m"]);
        (Number(summary, "assistant_tool_use_events"), Number(summary, "tool_result_events"), Number(summary, "total_tokens"), Number(summary, "raw_event_count")).ShouldBe((1, 1, 120, 6));
        summary.GetProperty("cost_usd").GetDouble().ShouldBe(0.5);
        summary.GetProperty("tool_calls_by_name").GetProperty("bash").GetInt32().ShouldBe(1);
        Number(summary, "ttft_ms").ShouldBeGreaterThanOrEqualTo(0);
        summary.GetProperty("duration_s").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Token_deltas_are_never_observed_and_reasoning_that_comes_in_a_row_is_observed_with_its_sum()
    {
        await using var worker = await TestWorker.Start(postgres, async (keeper, _) =>
        {
            for (var n = 0; n < 200; n++)
                await keeper.Say("""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"token "}}""");
            for (var n = 0; n < 200; n++)
                await keeper.Say("""{"type":"reasoning","text":"ten chars."}""");
            await keeper.Answer("PONG");
        });
        var execution = await worker.Server.Api.Queue(Http.NewThread());
        await worker.End(execution);

        var events = await worker.Events(execution);

        events.Count(e => e.Kind == "assistant_text_observed").ShouldBe(1, "the answer as a whole");
        var thought = events.Where(e => e.Kind == "reasoning_observed").ToList();
        thought.Sum(e => e.Json.GetProperty("text_chars").GetInt32()).ShouldBe(2_000);
        thought.Count.ShouldBeLessThan(100);
        events.Count(e => e.Kind == "amp_raw_event" && Text(e.Json, "type") == "reasoning").ShouldBe(200);
    }

    [Fact]
    public async Task A_worker_that_takes_over_goes_on_counting_where_the_stored_events_end()
    {
        await using var worker = await TestWorker.Start(postgres, async (keeper, _) =>
        {
            await keeper.Say("""{"type":"tool","content":[{"tool_use_id":"t1","content":"a","is_error":false}]}""");
            keeper.Break();
            await Task.Delay(200, Cancellation);
            await keeper.Say("""{"type":"tool","content":[{"tool_use_id":"t2","content":"b","is_error":false}]}""");
            await keeper.Answer("PONG");
        });
        var execution = await worker.Server.Api.Queue(Http.NewThread());
        await worker.End(execution);

        var summary = (await worker.Events(execution)).Single(e => e.Kind == "execution_summary").Json;

        (Number(summary, "tool_result_events"), Number(summary, "raw_event_count")).ShouldBe((2, 4));
    }

    static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();
}
