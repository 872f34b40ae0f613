using System.Text.Json.Nodes;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions;

/// <summary>Where a turn's answer is found afterwards (contract §3.1).</summary>
public sealed class AnswerTests(PostgresServer postgres)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_answer_is_in_the_transcript_and_names_a_thread_without_a_title_once()
    {
        var answers = new Queue<string>(["", new string('a', 59) + "bcd", "another answer"]);
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer(answers.Dequeue()));
        var thread = Http.NewThread();

        await worker.End(await worker.Server.Api.Queue(thread));
        (await Name(worker, thread)).ShouldBeNull("nothing was said");
        await worker.End(await worker.Server.Api.Queue(thread));
        (await Name(worker, thread)).ShouldBe(new string('a', 59) + "b");
        await worker.End(await worker.Server.Api.Queue(thread));
        (await Name(worker, thread)).ShouldBe(new string('a', 59) + "b");

        var (_, page) = await worker.Server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(thread)}");
        var said = page!["messages"]!.AsArray().Where(m => m!.Text("role") == "assistant").ToList();
        said.Select(m => (string?)m!["parts"]![0]!["text"]).ShouldBe([new string('a', 59) + "bcd", "another answer"]);
        said.Select(m => m!).ShouldAllBe(m => m.Text("id")!.StartsWith("turn-", StringComparison.Ordinal) && (string?)m["metadata"]!["harness"]! == "built-in");
    }

    [Fact]
    public async Task A_title_that_was_given_is_kept()
    {
        await using var worker = await TestWorker.Start(postgres, (keeper, _) => keeper.Answer("PONG"));
        var thread = Http.NewThread();
        await worker.Server.Api.Spawn(thread);
        await worker.Server.Api.PostOk("/agent/title", new JsonObject { ["thread_key"] = thread, ["title"] = "Mine" });

        await worker.End(await worker.Server.Api.Queue(thread));

        (await Name(worker, thread)).ShouldBe("Mine");
    }

    static Task<string?> Name(TestWorker worker, string thread) =>
        worker.Database.First($"select thread_name from sandbox_sessions where thread_key = {thread}", row => row.IsDBNull(0) ? null : row.GetString(0), Cancellation);
}
