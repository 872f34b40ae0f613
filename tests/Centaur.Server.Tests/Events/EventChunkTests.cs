using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Centaur.Server.Tests.Events;

/// <summary>The log of days that are over stands in chunks, and nobody who reads it can tell.</summary>
public sealed class EventChunkTests(PostgresServer postgres, ServerFixture server) : IClassFixture<ServerFixture>
{
    const string Rows = "agent_execution_event_rows";
    const string Chunks = "agent_execution_event_chunks";

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    EventStore Events => server.Services.GetRequiredService<EventStore>();

    EventLogStore Log => server.Services.GetRequiredService<EventLogStore>();

    [Fact]
    public async Task A_reader_with_any_cursor_sees_every_event_once_in_order_wherever_it_stands()
    {
        var thread = await LongLog();
        var before = await All(thread, null, 0);
        before.Count.ShouldBe(1_000);

        await CompactAll(thread);

        (await Count(Rows, thread)).ShouldBe(300, "today's stay as they are");
        (await Count(Chunks, thread)).ShouldBeGreaterThan(3);
        (await All(thread, null, 0)).ShouldBe(before);
        foreach (var cursor in before.Where((_, n) => n % 50 == 0 || n is > 690 and < 710).Select(e => e.EventId))
            (await All(thread, null, cursor)).ShouldBe(before.Where(e => e.EventId > cursor));
    }

    [Fact]
    public async Task A_reader_of_one_execution_is_not_stopped_by_the_chunks_of_others()
    {
        var thread = await LongLog();
        await CompactAll(thread);

        foreach (var execution in (string[])["a", "b", "c"])
        {
            var whole = await All(thread, execution, 0);
            whole.Count.ShouldBeGreaterThan(200);
            whole.ShouldAllBe(e => e.ExecutionId == execution);
            foreach (var cursor in whole.Where((_, n) => n % 40 == 0).Select(e => e.EventId))
                (await All(thread, execution, cursor)).ShouldBe(whole.Where(e => e.EventId > cursor));
        }
    }

    [Fact]
    public async Task The_contracts_table_reads_the_same_before_and_after()
    {
        var thread = await LongLog();
        var before = await Fingerprint(thread);

        await CompactAll(thread);

        (await Fingerprint(thread)).ShouldBe(before);
    }

    [Fact]
    public async Task What_is_written_into_the_contracts_table_is_streamed()
    {
        var thread = Http.NewThread();
        await Run($"insert into agent_execution_events (thread_key, event_kind, event_json) values ('{thread}', 'seeded', '{{\"n\": 1}}'), ('{thread}', 'seeded', '{{\"n\": 2}}')");

        (await All(thread, null, 0)).Select(e => e.Json).ShouldBe(["""{"n": 1}""", """{"n": 2}"""]);
        (await Events.Knows(thread, null, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task Readers_and_two_servers_that_compact_at_once_lose_and_double_nothing()
    {
        await using var shared = new ServerFixture(postgres);
        await shared.Start(Cancel);
        var database = shared.Services.GetRequiredService<PostgresDatabase>();
        var (events, log) = (shared.Services.GetRequiredService<EventStore>(), shared.Services.GetRequiredService<EventLogStore>());
        var threads = Enumerable.Range(0, 60).Select(_ => Http.NewThread()).ToArray();
        foreach (var thread in threads)
            await database.Query(Old(thread, "e", 200, days: 2), _ => 0, Cancel);

        var compacting = Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            while (await Left(database) > 0)
                await log.CompactDaysThatAreOver(Cancel);
        }));
        do
        {
            foreach (var thread in threads)
                (await Read(events, thread, null, 0)).Select(e => (int)JsonNode.Parse(e.Json)!["n"]!).ShouldBe(Enumerable.Range(1, 200));
        }
        while (!compacting.IsCompleted);
        await compacting;

        foreach (var thread in threads)
            (await Read(events, thread, null, 0)).Count.ShouldBe(200);
    }

    [Fact]
    public async Task A_thread_that_has_said_more_than_is_moved_at_once_is_moved_in_steps_and_read_in_order_between_them()
    {
        await using var busy = new ServerFixture(postgres);
        await busy.Start(Cancel);
        var (database, log, events) = (busy.Services.GetRequiredService<PostgresDatabase>(), busy.Services.GetRequiredService<EventLogStore>(), busy.Services.GetRequiredService<EventStore>());
        var thread = Http.NewThread();
        await database.Query(Old(thread, "e", 25_000, days: 2), _ => 0, Cancel);

        await log.CompactDaysThatAreOver(Cancel);

        (await Left(database)).ShouldBe(5_000);
        var between = await Read(events, thread, null, 0);
        await log.CompactDaysThatAreOver(Cancel);
        (await Left(database)).ShouldBe(0);
        (await Read(events, thread, null, 0)).ShouldBe(between);
        between.Select(e => (int)JsonNode.Parse(e.Json)!["n"]!).ShouldBe(Enumerable.Range(1, 25_000));
    }

    [Fact]
    public async Task The_end_of_an_execution_whose_events_are_in_chunks_carries_their_last_id()
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await server.Api.PostOk($"/agent/executions/{execution}/cancel", new JsonObject());
        var last = (await All(thread, execution, 0))[^1].EventId;
        await Run($"update {Rows} set created_at = created_at - interval '3 days' where thread_key = '{thread}'");
        await CompactAll(thread);

        (await Events.EndOf(execution, Cancel))!.LastEventId.ShouldBe(last);
        (await Events.Knows(thread, null, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task Only_a_day_that_is_over_and_empty_is_dropped()
    {
        var thread = Http.NewThread();
        await Run($"""
            create table agent_execution_events_20200101 partition of {Rows} for values from ('2020-01-01Z') to ('2020-01-02Z');
            create table agent_execution_events_20200102 partition of {Rows} for values from ('2020-01-02Z') to ('2020-01-03Z');
            insert into agent_execution_events (thread_key, event_kind, event_json, created_at) values ('{thread}', 'old', '1', '2020-01-02 12:00Z')
            """);
        await Log.DropEmptyDays(Cancel);
        (await Days()).ShouldBe(["20200102"]);

        await CompactAll(thread);
        await Log.DropEmptyDays(Cancel);

        (await Days()).ShouldBeEmpty();
        (await All(thread, null, 0)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Events_beyond_their_days_are_removed_and_no_others()
    {
        await using var brief = new ServerFixture(postgres);
        await brief.Start(Cancel);
        var (database, log) = (brief.Services.GetRequiredService<PostgresDatabase>(), brief.Services.GetRequiredService<EventLogStore>());
        var (old, young) = (Http.NewThread(), Http.NewThread());
        await database.Query(Old(old, "e", 50, days: 9), _ => 0, Cancel);
        await database.Query(Old(young, "e", 50, days: 4), _ => 0, Cancel);
        while (await Left(database) > 0)
            await log.CompactDaysThatAreOver(Cancel);

        await log.Remove(TimeSpan.FromDays(7), Cancel);

        var events = brief.Services.GetRequiredService<EventStore>();
        (await Read(events, old, null, 0)).ShouldBeEmpty();
        (await Read(events, young, null, 0)).Count.ShouldBe(50);
    }

    /// <summary>Two days that are over and today: three executions, of which the second is queued while the first runs, so that their ids interleave; and events of none.</summary>
    async Task<string> LongLog()
    {
        var thread = Http.NewThread();
        await Run($"""
            insert into agent_execution_events (thread_key, execution_id, event_kind, event_json, first_seq, last_seq, created_at)
            select '{thread}',
                   case when n % 97 = 0 then null when n % 31 = 0 then 'b' when n <= 400 then 'a' when n <= 700 then 'b' else 'c' end,
                   'amp_raw_event',
                   jsonb_build_object('n', n, 'text', 'a "b" ü 🦄 ' || repeat(md5(n::text), 30)), n, n,
                   now() - interval '1 day' * case when n <= 350 then 3 when n <= 700 then 2 else 0 end
            from generate_series(1, 1000) n
            """);
        return thread;
    }

    static Sql Old(string thread, string execution, int events, int days) =>
        Sql.Of(
            $"""
            insert into agent_execution_event_rows (thread_key, execution_id, event_kind, event_json, created_at)
            select {thread}, {execution}, 'amp_raw_event', jsonb_build_object('n', n), now() - interval '1 day' * {days} from generate_series(1, {events}) n
            """);

    Task<List<StoredEvent>> All(string thread, string? execution, long after) => Read(Events, thread, execution, after);

    static async Task<List<StoredEvent>> Read(EventStore events, string thread, string? execution, long after)
    {
        List<StoredEvent> all = [];
        while (await events.After(thread, execution, all.Count == 0 ? after : all[^1].EventId, 70, Cancel) is { Count: > 0 } page)
            all.AddRange(page);
        return all;
    }

    /// <summary>Other tests of this class compact as well: whoever does, the thread's old events move.</summary>
    async Task CompactAll(string thread)
    {
        while (await Database.First($"select count(*) from agent_execution_event_rows where thread_key = {thread} and created_at < now() - interval '1 day 1 hour'", row => row.GetInt64(0), Cancel) > 0)
            await Log.CompactDaysThatAreOver(Cancel);
    }

    static Task<long> Left(PostgresDatabase database) => database.First($"select count(*) from agent_execution_event_rows", row => row.GetInt64(0), Cancel);

    Task<string?> Fingerprint(string thread) =>
        Database.First($"select md5(string_agg(v::text, ' ' order by event_id)) || count(*) from agent_execution_events v where thread_key = {thread}", row => row.GetString(0), Cancel);

    async Task<long> Count(string table, string thread)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand($"select count(*) from {table} where thread_key = '{thread}'");
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    Task<IReadOnlyList<string>> Days() =>
        Database.Query($"select right(inhrelid::regclass::text, 8) from pg_inherits where inhparent = 'agent_execution_event_rows'::regclass and inhrelid::regclass::text like '%2020%'", row => row.GetString(0), Cancel);

    async Task Run(string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
