using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Platform.Database;

public sealed class StorageFaultTests(PostgresServer postgres) : IAsyncLifetime
{
    readonly ServerFixture server = new(postgres);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task F12_a_database_whose_commits_take_two_seconds_makes_clients_wait_and_doubles_nothing()
    {
        const string thread = "slow";
        await server.Api.Spawn(thread);
        await Database.Execute($"create function slow_commit() returns trigger language plpgsql as 'begin perform pg_sleep(2); return null; end'", Cancellation);
        await Database.Execute(
            $"create constraint trigger slow_commit after insert on agent_execution_requests deferrable initially deferred for each row execute function slow_commit()", Cancellation);

        // A client that has lost its patience asks again while its first request still commits.
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.Api.PostOk(
            "/agent/execute", new JsonObject { ["thread_key"] = thread, ["assignment_generation"] = 1, ["execute_id"] = "once" }, HttpStatusCode.Accepted)));

        answers.Select(a => (string)a["execution_id"]!).Distinct().Count().ShouldBe(1);
        answers.Count(a => a["idempotent"] is null).ShouldBe(1);
        (await Database.First($"select count(*) from agent_execution_events where thread_key = {thread} and event_kind = 'execution_state'", row => row.GetInt64(0), Cancellation)).ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_Postgres_ends_in_the_middle_of_a_transaction_leaves_nothing_and_the_next_request_passes()
    {
        await Database.Execute($"create function cut() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'", Cancellation);
        await Database.Execute($"create trigger cut after insert on agent_spawn_requests execute function cut()", Cancellation);

        using var response = await server.Api.PostAsync("/agent/spawn", new StringContent("""{"thread_key":"cut"}""", System.Text.Encoding.UTF8, "application/json"), Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull();
        (await Database.First($"select count(*) from agent_runtime_assignments", row => row.GetInt64(0), Cancellation)).ShouldBe(0);

        await Database.Execute($"drop trigger cut on agent_spawn_requests", Cancellation);
        (await server.Api.Post("/agent/spawn", new JsonObject { ["thread_key"] = "cut" })).Status.ShouldBe(HttpStatusCode.OK);
    }
}
