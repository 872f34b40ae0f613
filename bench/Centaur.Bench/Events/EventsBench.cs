using System.Globalization;
using System.Runtime.CompilerServices;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Events;

/// <summary>
/// A jailed script emits, and what it emits goes the whole way: keeper, journal, attach socket, worker, Postgres, stream. Rows are counted where they are stored,
/// by the database's own clock; the yardstick inserts the same row, one a transaction, into a table with the same indexes of the same Postgres. Both are taken in turns,
/// after one flood that nobody counts: what is sustained is what programs do that have run for a while.
/// </summary>
internal sealed class EventsBench : IBench
{
    const int Threads = 4;
    const int LinesEach = 25_000;
    const int Rounds = 3;
    const int DayLinesEach = 2_680;
    const double DayLines = Threads * (double)DayLinesEach;
    const double LinesOfADay = 1_100_000;
    const double Megabyte = 1e6;
    const double OriginalMegabytes = 450;
    const double DayGoal = 60;
    const double StoreGoal = 1.5;

    public string Description => "Events stored per second, and the bytes of a day.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var home = await BenchHome.Start(context, _ => Task.FromResult(BenchHome.WithoutModelKey), cancellationToken);
        var (present, over, rows) = await Day(home, cancellationToken);
        yield return Figure.AtMost("a day of 1.1 million lines, 85 % deltas, once it is over, extrapolated", over / DayLines * LinesOfADay / Megabyte, "MB", DayGoal, OriginalMegabytes);
        yield return Figure.Told("the same before it is over", present / DayLines * LinesOfADay / Megabyte, "MB");
        yield return Figure.Told("lines of it that became one row", DayLines / rows, "lines");

        await Flood(home, Threads, cancellationToken);
        var insert = await Yardstick(home, cancellationToken);
        var (one, many, singles) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            one.Add(await Flood(home, 1, cancellationToken));
            singles.Add(await home.PgBench(insert, clients: 32, cancellationToken));
            many.Add(await Flood(home, Threads, cancellationToken));
        }
        yield return Figure.AtLeastTimes($"events stored per second, {Threads} threads at once", Median(many), "/s", Median(singles), StoreGoal);
        yield return Figure.AtLeastTimes("events stored per second, one thread", Median(one), "/s", Median(singles), StoreGoal);
    }

    /// <summary>Four threads that speak as fast as a model does, until the log has some thousand lines of the mix; then the log is treated as it is on the next day.</summary>
    static async Task<(double Present, double Over, double Rows)> Day(BenchHome home, CancellationToken cancellationToken)
    {
        const string RowBytes = "select sum(pg_total_relation_size(relid)) from pg_partition_tree('agent_execution_event_rows') where isleaf";
        const string ChunkBytes = "select pg_total_relation_size('agent_execution_event_chunks')";
        var before = await Number(home, RowBytes, cancellationToken);
        var executions = await RunAll(home, Threads, $"bench day {DayLinesEach}", cancellationToken);
        var present = await Number(home, RowBytes, cancellationToken) - before;
        var rows = await Number(home, $"select count(*) from agent_execution_events where first_seq is not null and execution_id in ({executions})", cancellationToken);
        before = await Number(home, ChunkBytes, cancellationToken);
        await home.Sql("select compact_events(now() + interval '1 day', 1000000)", cancellationToken);
        return (present, await Number(home, ChunkBytes, cancellationToken) - before, rows);
    }

    static async Task<double> Flood(BenchHome home, int threads, CancellationToken cancellationToken)
    {
        var executions = await RunAll(home, threads, $"bench flood {LinesEach}", cancellationToken);
        return await Number(
            home,
            $"""
            select count(*) / extract(epoch from max(created_at) - min(created_at))
            from agent_execution_events where first_seq is not null and execution_id in ({executions})
            """,
            cancellationToken);
    }

    /// <returns>The statement that inserts one row like those of the flood.</returns>
    static async Task<string> Yardstick(BenchHome home, CancellationToken cancellationToken)
    {
        const string Like =
            """
            create table bench_events (like agent_execution_event_rows including all);
            create table bench_row as select * from agent_execution_events where event_json::text like '%xxxx%' order by event_id desc limit 1
            """;
        await home.Sql(Like, cancellationToken);
        var json = (await home.Sql("select event_json::text from bench_row", cancellationToken)).Trim();
        return $"""
            insert into bench_events (thread_key, execution_id, event_kind, event_json, first_seq, last_seq) values ('bench:01a1fa7394f17087be5e2fd36498' || :client_id, 'exe_e9569863f24ce766', 'amp_raw_event', '{json.Replace("'", "''", StringComparison.Ordinal)}', 1, 1)
            """;
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>All are warm before the first of them speaks: what is measured is what they say, and no sandbox's start.</summary>
    /// <returns>The executions, as a list for SQL.</returns>
    static async Task<string> RunAll(BenchHome home, int threads, string prompt, CancellationToken cancellationToken)
    {
        var warm = await Task.WhenAll(Enumerable.Range(0, threads).Select(async _ =>
        {
            var thread = new BenchThread(home, "codex");
            await thread.Spawn(cancellationToken);
            await Turn(thread, "warm up", cancellationToken);
            return thread;
        }));
        return string.Join(',', await Task.WhenAll(warm.Select(async thread => $"'{await Turn(thread, prompt, cancellationToken)}'")));
    }

    static async Task<string> Turn(BenchThread thread, string prompt, CancellationToken cancellationToken)
    {
        await thread.Say(prompt, cancellationToken);
        var execution = await thread.Execute(cancellationToken);
        await thread.Completed(execution, cancellationToken);
        return execution;
    }

    static async Task<double> Number(BenchHome home, string query, CancellationToken cancellationToken) =>
        double.Parse((await home.Sql(query, cancellationToken)).Trim(), CultureInfo.InvariantCulture);
}
