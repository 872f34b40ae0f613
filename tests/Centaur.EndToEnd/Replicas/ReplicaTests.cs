using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Replicas;

/// <summary>Two hosts share one database and its work. One is killed and comes back, the other is paused for longer than its lease and goes on.</summary>
public sealed class ReplicaTests(ReplicaTests.FirstHost first) : IClassFixture<ReplicaTests.FirstHost>
{
    const int TurnsEach = 10;

    /// <summary>A host that is silent for longer than its lease loses its threads to the other.</summary>
    public sealed class FirstHost : Installation
    {
        protected override string MoreConfiguration => "sandbox: {host_gone_seconds: 2}";
    }

    int answered;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task F6_100_turns_on_two_servers_one_killed_and_one_paused_are_100_single_answers_in_order() => Share(threadCount: 10);

    [Fact]
    [Trait("Category", "nightly")]
    public Task F6_500_turns_on_two_servers_one_killed_and_one_paused_are_500_single_answers_in_order() => Share(threadCount: 50);

    async Task Share(int threadCount)
    {
        var turns = threadCount * TurnsEach;
        answered = 0;
        await using var second = await Replica.Start(first, Cancellation);
        var prefix = "many:" + Guid.CreateVersion7().ToString("N");
        var threads = Enumerable.Range(0, threadCount).Select(n => Converse($"{prefix}:{n}", second, n)).ToList();

        await Reached(turns / 4);
        SandboxProcesses.Kill(first.Server.Process.Pid);
        await Reached(turns / 2);
        await first.Up(Cancellation);
        SandboxProcesses.Pause(second.ServerPid);
        await Reached(turns * 5 / 8);
        SandboxProcesses.Continue(second.ServerPid);
        await Task.WhenAll(threads);

        await using var source = NpgsqlDataSource.Create(first.Layout.EmbeddedDatabaseUrl);
        (await Rows(source, "select count(*) from agent_execution_requests where thread_key like $1 and status = 'completed'", prefix)).Single().ShouldBe($"{turns}");
        (await Rows(source, "select count(*) from agent_execution_events where thread_key like $1 and event_kind = 'execution_state' and event_json ->> 'status' = 'completed'", prefix))
            .Single().ShouldBe($"{turns}", "each end is told once");
        var answers = await Rows(
            source, "select string_agg(trim(parts -> 0 ->> 'text'), ' ' order by created_at) from chat_messages where thread_key like $1 and role = 'assistant' group by thread_key", prefix);
        answers.Count.ShouldBe(threadCount);
        answers.ShouldAllBe(a => a == string.Join(' ', Enumerable.Range(1, TurnsEach).Select(turn => $"T{turn}")));
        (await Rows(source, "select count(distinct s.host_id) from sandboxes s where s.thread_key like $1", prefix)).Single().ShouldBe("2", "both hosts had work");
    }

    async Task Converse(string thread, Replica second, int offset)
    {
        var speaker = new Speaker(() => [first.Http, second.Http], offset);
        var spawned = await speaker.Post("/agent/spawn", new { thread_key = thread, spawn_id = "spawn", harness = "built-in" }, Cancellation);
        var generation = spawned.GetProperty("assignment_generation").GetInt32();
        for (var turn = 1; turn <= TurnsEach; turn++)
        {
            await speaker.Post(
                "/agent/message",
                new { thread_key = thread, assignment_generation = generation, message_id = $"m{turn}", parts = new[] { new { type = "text", text = $"Reply with exactly T{turn}" } } },
                Cancellation);
            var queued = await speaker.Post(
                "/agent/execute",
                new { thread_key = thread, assignment_generation = generation, execute_id = $"e{turn}", delivery = new { channel = "many", platform = "dev" } },
                Cancellation);
            var ended = await speaker.Ended(thread, queued.GetProperty("execution_id").GetString()!, Cancellation);
            ended.GetProperty("status").GetString().ShouldBe("completed", $"{thread}, turn {turn}: {ended}");
            Interlocked.Increment(ref answered);
        }
    }

    async Task Reached(int count)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        while (Volatile.Read(ref answered) < count)
            await Task.Delay(20, limit.Token);
    }

    static async Task<List<string>> Rows(NpgsqlDataSource source, string sql, string prefix)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = prefix + ":%" });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var rows = new List<string>();
        while (await reader.ReadAsync(Cancellation))
            rows.Add(reader.GetValue(0).ToString()!);
        return rows;
    }

    /// <summary>Asks whichever server answers, the next one where one does not.</summary>
    sealed class Speaker(Func<HttpClient[]> servers, int offset)
    {
        static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

        int turn = offset;

        public Task<JsonElement> Post(string path, object body, CancellationToken cancellationToken) =>
            Persist(async (http, token) =>
            {
                using var response = await http.PostAsJsonAsync(path, body, token);
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                    return null;
                var text = await response.Content.ReadAsStringAsync(token);
                response.IsSuccessStatusCode.ShouldBeTrue($"{path}: {text}");
                return JsonDocument.Parse(text).RootElement;
            }, cancellationToken);

        public Task<JsonElement> Ended(string thread, string execution, CancellationToken cancellationToken) =>
            Persist(async (http, token) =>
            {
                // The stream of an execution ends with it.
                using (var response = await http.GetAsync($"/agent/threads/{Uri.EscapeDataString(thread)}/events?execution_id={execution}", token))
                    await response.Content.ReadAsStringAsync(token);
                var view = await http.GetFromJsonAsync<JsonElement>($"/agent/executions/{execution}", token);
                return view.GetProperty("completed_at").ValueKind == JsonValueKind.Null ? null : view;
            }, cancellationToken);

        async Task<JsonElement> Persist(Func<HttpClient, CancellationToken, Task<JsonElement?>> request, CancellationToken cancellationToken)
        {
            while (true)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(Patience);
                try
                {
                    var all = servers();
                    if (await request(all[turn++ % all.Length], limit.Token) is { } answer)
                        return answer;
                }
                catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
                {
                    // That one is dead or paused.
                }
                await Task.Delay(20, cancellationToken);
            }
        }
    }
}
