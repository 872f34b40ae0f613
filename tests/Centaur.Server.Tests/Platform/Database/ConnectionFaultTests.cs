using System.Net;
using System.Text;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Platform.Database;

/// <summary>A Postgres of its own, because all of its connections are taken.</summary>
public sealed class ConnectionFaultTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_is_out_of_connections_is_told_and_what_was_queued_completes_when_they_come_back()
    {
        await using var postgres = new PostgresServer { MaxConnections = 20 };
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var worker = await TestWorker.Start(
            postgres,
            async (keeper, _) =>
            {
                await answer.Task;
                await keeper.Answer("PONG");
            },
            yaml: "database: {pool: 8}\n");
        const string thread = "out of connections";
        var running = await worker.Server.Api.Queue(thread);
        while (worker.Keepers.Started is not [{ Inputs.Count: 1 }])
            await Task.Delay(10, Cancellation);
        var queued = await worker.Server.Api.Queue(thread);

        await postgres.TakeAllConnections(
            worker.Server.ConnectionString,
            async () =>
            {
                using var body = new StringContent("""{"thread_key":"refused"}""", Encoding.UTF8, "application/json");
                using var spawn = await worker.Server.Api.PostAsync("/agent/spawn", body, Cancellation);
                spawn.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
                spawn.Headers.RetryAfter.ShouldNotBeNull();
                (await worker.Server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
                (await worker.Server.Api.Get("/health")).Status.ShouldBe(HttpStatusCode.OK);
                // The turn ends while nothing of it can be stored.
                answer.SetResult();
            },
            Cancellation);

        ((await worker.End(running)).Text("result_text"), (await worker.End(queued)).Text("result_text")).ShouldBe(("PONG", "PONG"));
        (await worker.Server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
        worker.Keepers.Started.Single().Inputs.Count.ShouldBe(2, "each turn was given once");
        (await worker.Database.First($"select count(*) from agent_runtime_assignments where thread_key = 'refused'", row => row.GetInt64(0), Cancellation)).ShouldBe(0);
    }
}
