using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions;

/// <summary>Which words a turn has: those that were said with its execution, and nobody else's.</summary>
public sealed class TurnInputTests(PostgresServer postgres)
{
    [Fact]
    public async Task Three_quick_questions_are_three_turns_and_each_has_its_own()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer("done"), options => options with { Concurrency = 1 });
        var thread = Http.NewThread();

        var asked = new List<string>();
        foreach (var words in (string[])["first", "second", "third"])
            asked.Add(await Ask(worker, thread, words));
        foreach (var execution in asked)
            (await worker.End(execution)).Text("status").ShouldBe(ExecutionStatus.Completed);

        Inputs(worker).ShouldBe(["first", "second", "third"]);
    }

    [Fact]
    public async Task What_was_withdrawn_in_the_queue_is_carried_out_by_nobody()
    {
        var gate = new TaskCompletionSource();
        await using var worker = await TestWorker.Start(postgres, async (keeper, _) =>
        {
            await gate.Task;
            await keeper.Answer("done");
        });
        var thread = Http.NewThread();
        var running = await Ask(worker, thread, "first");
        await worker.Until(running, ExecutionStatus.Running);
        var withdrawn = await Ask(worker, thread, "withdrawn");

        await worker.Server.Api.PostOk($"/agent/executions/{withdrawn}/cancel", new JsonObject());
        var last = await Ask(worker, thread, "last");
        gate.SetResult();
        await worker.End(last);

        Inputs(worker).ShouldBe(["first", "last"]);
    }

    [Fact]
    public async Task An_execution_for_which_nothing_is_left_to_say_runs_no_turn_and_is_no_failure()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer("done"));
        var thread = Http.NewThread();
        await worker.End(await Ask(worker, thread, "said"));

        var empty = await worker.Server.Api.PostOk("/agent/execute", new JsonObject { ["thread_key"] = thread, ["assignment_generation"] = 1 }, HttpStatusCode.Accepted);
        var ended = await worker.End(empty.Text("execution_id")!);

        ended.Text("status").ShouldBe(ExecutionStatus.Cancelled);
        ended.Text("error_text")!.ShouldContain("Nothing was said");
        Inputs(worker).ShouldBe(["said"]);
    }

    [Fact]
    public async Task A_message_beside_a_generation_is_said_with_the_execution()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer("done"));
        var thread = Http.NewThread();
        await worker.Server.Api.Spawn(thread);

        var execution = await worker.Server.Api.PostOk(
            "/agent/execute", new JsonObject { ["thread_key"] = thread, ["assignment_generation"] = 1, ["message"] = "beside", ["platform"] = "dev" }, HttpStatusCode.Accepted);
        await worker.End(execution.Text("execution_id")!);

        Inputs(worker).ShouldBe(["beside"]);
    }

    static async Task<string> Ask(TestWorker worker, string thread, string words) =>
        (await worker.Server.Api.PostOk("/agent/execute", new JsonObject { ["thread_key"] = thread, ["message"] = words }, HttpStatusCode.Accepted)).Text("execution_id")!;

    /// <summary>The words of each turn, in order.</summary>
    static IEnumerable<string> Inputs(TestWorker worker) =>
        worker.Keepers.Started.SelectMany(keeper => keeper.Inputs).Select(input => string.Join('|', JsonNode.Parse(input)!["content"]!.AsArray().Select(block => (string?)block!["text"])));
}
