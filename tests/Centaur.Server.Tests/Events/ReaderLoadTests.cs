using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Npgsql;

namespace Centaur.Server.Tests.Events;

/// <summary>What readers may cost. The server is a process of its own, so that what is measured is the server's alone.</summary>
public sealed class ReaderLoadTests(PostgresServer postgres)
{
    const long MiB = 1024 * 1024;
    const string LastEvent = "event: last\n";

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F23_readers_that_take_a_byte_now_and_then_hold_a_bounded_part_of_a_long_log_and_slow_no_neighbour()
    {
        const int Readers = 60;
        const int Events = 300;
        var (server, database, thread) = await Start();
        await using var _ = server;
        // 30 MiB, of which half shrinks to nothing in the database and comes out at its full length.
        await Sql(database, $"""
            insert into agent_execution_events (thread_key, event_kind, event_json)
            select '{thread}', case n when {Events} then 'last' else 'noise' end,
                   jsonb_build_object('n', n, 'text', case when n % 2 = 0 then repeat('tick ', 20000) else (select string_agg(md5(random()::text || i || n), '') from generate_series(1, 3200) i) end)
            from generate_series(1, {Events}) n
            """);
        await Whole(server, thread, Events);
        var before = server.ResidentBytes;

        List<RawReader> slow = [];
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        try
        {
            for (var n = 0; n < Readers; n++)
                slow.Add(await RawReader.Open(server.Api.BaseAddress!, server.Key, thread, 0, Cancel));
            await Task.WhenAll(slow.Select(reader => reader.Answered(Cancel)));
            var dripping = Task.WhenAll(slow.Skip(1).Select(reader => Drip(reader, over.Token)));
            // One takes nothing at all for longer than a web server likes, as a laptop that sleeps does.
            var asleep = Task.Delay(TimeSpan.FromSeconds(8), Cancel);

            for (var neighbour = 0; neighbour < 3; neighbour++)
                await Whole(server, thread, Events).WaitAsync(TimeSpan.FromSeconds(20), Cancel);

            // Each holds one batch at most, as text, as bytes and on its way; all of it would be 30 MiB each.
            var growth = server.PeakBytes - before;
            TestContext.Current.TestOutputHelper?.WriteLine($"{Readers} slow readers: {growth / MiB} MiB");
            growth.ShouldBeLessThan(Readers * 3 * MiB);
            await asleep;
            (await slow[0].Count("event: noise\n", LastEvent, Cancel)).ShouldBe(Events - 1, "the slowest of all still gets everything");
            await over.CancelAsync();
            await dripping;
        }
        finally
        {
            slow.ForEach(reader => reader.Dispose());
        }
    }

    [Fact]
    public Task F23_two_thousand_idle_readers_cost_60_MiB_and_all_of_them_are_woken() => Crowd(2_000, 60 * MiB, keepAlives: 0);

    [Fact]
    [Trait("Category", "nightly")]
    public Task F23_ten_thousand_idle_readers_cost_300_MiB_and_all_of_them_are_woken() => Crowd(10_000, 300 * MiB, keepAlives: 2);

    async Task Crowd(int readers, long bytes, int keepAlives)
    {
        var (server, database, thread) = await Start();
        await using var _ = server;
        List<RawReader> crowd = [];
        try
        {
            // What the first ones cost is code and pools, which the others share.
            await Join(100);
            var before = server.ResidentBytes;
            await Join(readers);
            for (var round = 0; round < keepAlives; round++)
                await Task.WhenAll(crowd.Select(reader => reader.Count("", ": keepalive\n\n", Cancel)));
            var growth = server.ResidentBytes - before;
            TestContext.Current.TestOutputHelper?.WriteLine($"{readers} readers: {growth / MiB} MiB");
            growth.ShouldBeLessThan(bytes);

            await Sql(database, $"insert into agent_execution_events (thread_key, event_kind, event_json) values ('{thread}', 'last', '{{}}'); select pg_notify('centaur', E'test\nthread:{thread}')");
            await Task.WhenAll(crowd.Select(reader => reader.Count(LastEvent, LastEvent + "data: {}\n\n", Cancel))).WaitAsync(TimeSpan.FromSeconds(30), Cancel);

            // One that comes back when all are there is served like any other.
            using var late = await RawReader.Open(server.Api.BaseAddress!, server.Key, thread, 0, Cancel);
            await late.Count(LastEvent, LastEvent + "data: {}\n\n", Cancel);
            server.Log.ShouldBe("");
        }
        finally
        {
            crowd.ForEach(reader => reader.Dispose());
        }

        async Task Join(int count)
        {
            const int AtOnce = 100;
            while (crowd.Count < count)
            {
                var more = await Task.WhenAll(Enumerable.Range(0, Math.Min(AtOnce, count - crowd.Count)).Select(_ => RawReader.Open(server.Api.BaseAddress!, server.Key, thread, 0, Cancel)));
                crowd.AddRange(more);
                await Task.WhenAll(more.Select(reader => reader.Answered(Cancel)));
            }
        }
    }

    async Task<(ServerProcess Server, string Database, string Thread)> Start()
    {
        var database = await postgres.CreateDatabase(Cancel);
        var server = await ServerProcess.Start(database, "", Cancel);
        var thread = Http.NewThread();
        await server.Api.PostOk("/agent/spawn", new JsonObject { ["thread_key"] = thread });
        return (server, database, thread);
    }

    static async Task Whole(ServerProcess server, string thread, int events)
    {
        using var reader = await RawReader.Open(server.Api.BaseAddress!, server.Key, thread, 0, Cancel);
        (await reader.Count("event: noise\n", LastEvent, Cancel)).ShouldBe(events - 1);
    }

    static async Task Drip(RawReader reader, CancellationToken over)
    {
        try
        {
            while ((await reader.Read(1, over)).Length > 0)
                await Task.Delay(200, over);
        }
        catch (OperationCanceledException)
        {
            // The test has seen enough.
        }
    }

    static async Task Sql(string database, string statement)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
