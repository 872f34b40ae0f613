using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Npgsql;

namespace Centaur.Server.Tests.Platform.Http;

/// <summary>More requests than the server can answer soon. It is a process of its own, so that its memory is what is measured.</summary>
public sealed class FloodTests(PostgresServer postgres)
{
    const long MiB = 1024 * 1024;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F12_a_thousand_posts_to_a_server_whose_database_is_slow_end_in_answers_or_503_and_not_in_memory()
    {
        const int Posts = 1_000;
        const int Threads = 50;
        var database = await postgres.CreateDatabase(Cancel);
        await using var server = await ServerProcess.Start(database, "  body_memory: 32MiB\n", Cancel);
        using var crowd = new HttpClient(new SocketsHttpHandler()) { BaseAddress = server.Api.BaseAddress, Timeout = TimeSpan.FromMinutes(2) };
        crowd.DefaultRequestHeaders.Authorization = server.Api.DefaultRequestHeaders.Authorization;
        var threads = Enumerable.Range(0, Threads).Select(_ => Tests.Http.NewThread()).ToList();
        foreach (var thread in threads)
            await server.Api.Spawn(thread);
        await Post(crowd, threads[0], "warm");
        await Sql(database, "create function slow_commit() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end'");
        await Sql(database, "create constraint trigger slow_commit after insert on agent_message_requests deferrable initially deferred for each row execute function slow_commit()");
        var before = server.ResidentBytes;

        // Half a gigabyte of bodies, on so many threads that nothing but the database is in their way.
        var answers = await Task.WhenAll(Enumerable.Range(0, Posts).Select(n => Post(crowd, threads[n % Threads], $"m{n}")));

        var stored = answers.Count(a => a == HttpStatusCode.OK);
        TestContext.Current.TestOutputHelper?.WriteLine($"{stored} stored, {(server.PeakBytes - before) / MiB} MiB");
        stored.ShouldBeGreaterThan(0);
        answers.ShouldAllBe(a => a == HttpStatusCode.OK || a == HttpStatusCode.ServiceUnavailable);
        (await Sql(database, "select count(*) from agent_message_requests")).ShouldBe(stored + 1L);
        (server.PeakBytes - before).ShouldBeLessThan(500 * MiB);
        (await Post(crowd, threads[0], "after")).ShouldBe(HttpStatusCode.OK);
    }

    static async Task<HttpStatusCode> Post(HttpClient client, string thread, string id)
    {
        var body = new JsonObject
        {
            ["thread_key"] = thread, ["assignment_generation"] = 1, ["message_id"] = id,
            ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = new string('x', 500_000) }),
        };
        using var response = await client.PostAsJsonAsync("/agent/message", body, Cancel);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            response.Headers.RetryAfter.ShouldNotBeNull();
        return response.StatusCode;
    }

    static async Task<object?> Sql(string database, string statement)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
