using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions;

/// <summary>Whose executions run when there are more than places (wire contract §2.1). Each turn holds its place until the test lets it go.</summary>
public sealed class SlotTests(PostgresServer postgres)
{
    readonly ConcurrentDictionary<string, int> running = new(StringComparer.Ordinal);
    readonly TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int mostOfWorkflows;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_flood_of_workflows_never_takes_the_places_that_are_kept_for_people()
    {
        await using var worker = await Start(concurrency: 4, reserved: 2);
        var flood = await Queue(worker, 6, ofWorkflows: true);
        await Until(() => Running("workflow") == 2);

        var people = await Queue(worker, 2, ofWorkflows: false);
        await Until(() => Running("person") == 2);
        Running("workflow").ShouldBe(2);

        release.SetResult();
        foreach (var execution in flood.Concat(people))
            ((string?)(await worker.End(execution))["status"]).ShouldBe("completed");
        mostOfWorkflows.ShouldBe(2);
    }

    [Fact]
    public async Task Without_kept_places_workflows_may_have_them_all()
    {
        await using var worker = await Start(concurrency: 4, reserved: 0);
        await Queue(worker, 5, ofWorkflows: true);

        await Until(() => Running("workflow") == 4);
        release.SetResult();
    }

    [Fact]
    public async Task A_workflow_has_one_place_even_where_more_are_kept_than_there_are()
    {
        await using var worker = await Start(concurrency: 2, reserved: 5);
        var flood = await Queue(worker, 3, ofWorkflows: true);

        await Until(() => Running("workflow") == 1);
        release.SetResult();
        foreach (var execution in flood)
            await worker.End(execution);
        mostOfWorkflows.ShouldBe(1);
    }

    Task<TestWorker> Start(int concurrency, int reserved) => TestWorker.Start(postgres, Turn, options => options with { Concurrency = concurrency, ReservedUserSlots = reserved });

    async Task Turn(FakeKeeper keeper, string turn)
    {
        var kind = keeper.Inputs[^1].Contains("workflow", StringComparison.Ordinal) ? "workflow" : "person";
        var now = running.AddOrUpdate(kind, 1, (_, n) => n + 1);
        if (kind == "workflow")
            mostOfWorkflows = Math.Max(mostOfWorkflows, now);
        await release.Task;
        running.AddOrUpdate(kind, 0, (_, n) => n - 1);
        await keeper.Answer("done");
    }

    int Running(string kind) => running.GetValueOrDefault(kind);

    static async Task<List<string>> Queue(TestWorker worker, int count, bool ofWorkflows)
    {
        var queued = new List<string>();
        for (var n = 0; n < count; n++)
        {
            var body = new JsonObject { ["thread_key"] = Http.NewThread(), ["message"] = ofWorkflows ? "for a workflow" : "for a person" };
            if (ofWorkflows)
                body["metadata"] = new JsonObject { ["workflow_run_id"] = $"wfr_{n}" };
            queued.Add((string)(await worker.Server.Api.PostOk("/agent/execute", body, HttpStatusCode.Accepted))["execution_id"]!);
        }
        return queued;
    }

    static async Task Until(Func<bool> holds)
    {
        while (!holds())
            await Task.Delay(10, Cancellation);
    }
}
