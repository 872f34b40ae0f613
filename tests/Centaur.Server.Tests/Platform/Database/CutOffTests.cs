using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Npgsql;

namespace Centaur.Server.Tests.Platform.Database;

/// <summary>A server that is cut off from its database as a network cuts: no answer, no refusal, no end of the connections that there were.</summary>
public sealed class CutOffTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task F8_five_seconds_without_the_database_are_503_lose_no_event_and_pass_without_a_restart() => CutFor(TimeSpan.FromSeconds(5), "database: {answer_seconds: 2}\n");

    [Fact]
    [Trait("Category", "nightly")]
    public Task F8_a_minute_without_the_database_is_503_loses_no_event_and_passes_without_a_restart() => CutFor(TimeSpan.FromSeconds(60), "");

    [Fact]
    [Trait("Category", "nightly")]
    public Task F8_ten_minutes_without_the_database_are_503_lose_no_event_and_pass_without_a_restart() => CutFor(TimeSpan.FromMinutes(10), "");

    async Task CutFor(TimeSpan length, string yaml)
    {
        var database = await postgres.CreateDatabase(Cancel);
        await using var gateway = new DatabaseGateway(database);
        await using var server = await ServerProcess.Start(gateway.ConnectionString, yaml, Cancel);
        await using var replica = await ServerProcess.Start(database, "", Cancel);
        var pid = server.Pid;
        var thread = Tests.Http.NewThread();
        await server.Api.Spawn(thread);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var stopAsking = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var seen = new ConcurrentQueue<(long Id, string? Execution)>();
        var reading = Follow(server, thread, seen, over.Token);
        var asking = Ask(server, thread, stopAsking.Token);
        await Until(() => seen.Count >= 5, TimeSpan.FromSeconds(20));

        gateway.Cut();
        await Task.Delay(length, Cancel);
        (await server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        gateway.Heal();

        var healed = seen.Count;
        await Until(() => seen.Count >= healed + 5, TimeSpan.FromSeconds(60));
        await stopAsking.CancelAsync();
        var answers = await asking;
        // Notifications of a replica come again: with the first connection dead, only one that was looked at has been replaced.
        var told = (string)(await replica.Api.PostOk("/agent/execute", Execution(thread, "told"), HttpStatusCode.Accepted))["execution_id"]!;
        await Until(() => seen.Any(e => e.Execution == told), TimeSpan.FromSeconds(10));
        await over.CancelAsync();
        await reading;

        answers.Count(a => a.Status == HttpStatusCode.ServiceUnavailable).ShouldBeGreaterThan(0);
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.Accepted || (a.Status == HttpStatusCode.ServiceUnavailable && a.RetryAfter));
        var stored = await Rows(database, "select execute_id from agent_execution_requests");
        answers.Where(a => a.Status == HttpStatusCode.Accepted).Select(a => a.Id).ShouldBeSubsetOf(stored);
        seen.Select(e => e.Id).ShouldBe((await Rows(database, $"select e.event_id::text from agent_execution_events e where e.thread_key = '{thread}' order by e.event_id")).Select(id => long.Parse(id, CultureInfo.InvariantCulture)));
        server.Pid.ShouldBe(pid);
        (await server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Asks again and again, each time for something new, until it is told to stop.</summary>
    static async Task<List<Answer>> Ask(ServerProcess server, string thread, CancellationToken over)
    {
        var answers = new List<Answer>();
        for (var n = 0; !over.IsCancellationRequested; n++)
        {
            using var response = await server.Api.PostAsync("/agent/execute", System.Net.Http.Json.JsonContent.Create(Execution(thread, $"e{n}")), Cancel);
            answers.Add(new Answer($"e{n}", response.StatusCode, response.Headers.RetryAfter is not null));
            await Task.Delay(20, Cancel);
        }

        return answers;
    }

    static JsonObject Execution(string thread, string id) => new() { ["thread_key"] = thread, ["assignment_generation"] = 1, ["execute_id"] = id };

    /// <summary>Follows the thread over as many connections as it takes, each from the last id that came.</summary>
    static async Task Follow(ServerProcess server, string thread, ConcurrentQueue<(long, string?)> seen, CancellationToken over)
    {
        var cursor = 0L;
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var response = await server.Api.GetAsync($"/agent/threads/{Uri.EscapeDataString(thread)}/events?after_event_id={cursor}", HttpCompletionOption.ResponseHeadersRead, over);
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(over)).EnumerateAsync(over))
                    {
                        cursor = long.Parse(item.EventId!, CultureInfo.InvariantCulture);
                        seen.Enqueue((cursor, (string?)JsonNode.Parse(item.Data)!["execution_id"]));
                    }
                }
                else
                {
                    response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
                    response.Headers.RetryAfter.ShouldNotBeNull();
                }

                await Task.Delay(100, over);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // The server ends what it cannot go on with; the reader comes back.
            }
        }
    }

    static async Task Until(Func<bool> condition, TimeSpan limit)
    {
        var began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(limit);
            await Task.Delay(20, Cancel);
        }
    }

    static async Task<List<string>> Rows(string database, string query)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancel))
            rows.Add(reader.GetString(0));
        return rows;
    }

    sealed record Answer(string Id, HttpStatusCode Status, bool RetryAfter);
}
