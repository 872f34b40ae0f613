using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Spawns;

/// <summary>
/// A new thread through the whole server: what the request to spawn costs, and how long its first turn takes to reach a harness in a jail, from the warm pool and without one.
/// The bare sandbox, without the server around it, is the benchmark <c>sandbox</c>.
/// </summary>
internal sealed partial class SpawnBench : IBench
{
    /// <summary>Fewer threads than a host has sandboxes for: beyond that each one more ends another.</summary>
    const int Requests = 5;
    const int AtOnce = 8;
    const int Rounds = 9;
    const double SpareGoal = 100;
    const double ColdGoal = 500;

    public string Description => "New threads: the request, and the way of the first turn to its harness.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using (var pooled = await BenchHome.Start(context, _ => Configuration(spares: 2), cancellationToken))
        {
            var (request, perSecond) = await Spawns(pooled, cancellationToken);
            yield return Figure.Told($"POST /agent/spawn, {AtOnce} at once, p50", request.Median, "ms");
            yield return Figure.Told($"POST /agent/spawn, {AtOnce} at once, p99", request.P99, "ms");
            yield return Figure.Told($"POST /agent/spawn, {AtOnce} at once, of one-row commits by {AtOnce} clients", perSecond, "/s", await SingleRows(pooled, cancellationToken));
            var spare = await FirstTurns(pooled, Filled, cancellationToken);
            yield return Figure.AtMost("new thread from the pool: execute → harness has read its turn, median", spare.Median, "ms", SpareGoal);
            yield return Figure.Told("new thread from the pool: execute → harness has read its turn, worst", spare.Worst, "ms");
        }

        await using var bare = await BenchHome.Start(context, _ => Configuration(spares: 0), cancellationToken);
        var cold = await FirstTurns(bare, (_, _) => Task.CompletedTask, cancellationToken);
        yield return Figure.AtMost("new thread without a pool: execute → harness has read its turn, median", cold.Median, "ms", ColdGoal);
        yield return Figure.Told("new thread without a pool: execute → harness has read its turn, worst", cold.Worst, "ms");
    }

    static Task<string> Configuration(int spares) =>
        Task.FromResult($"{BenchHome.WithoutModelKey}sandbox:\n  warm_pool:\n    size: {spares}\n    replenish_seconds: 1\n");

    static async Task<(Distribution Request, double PerSecond)> Spawns(BenchHome home, CancellationToken cancellationToken)
    {
        await Many(1);
        var begun = Stopwatch.GetTimestamp();
        var times = await Many(Requests);
        return (new Distribution(times), times.Count / Stopwatch.GetElapsedTime(begun).TotalSeconds);

        async Task<IReadOnlyList<double>> Many(int each)
        {
            var clients = Enumerable.Range(0, AtOnce).Select(async _ =>
            {
                var own = new List<double>();
                for (var request = 0; request < each; request++)
                {
                    var asked = Stopwatch.GetTimestamp();
                    await new BenchThread(home, "codex").Spawn(cancellationToken);
                    own.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
                }

                return own;
            });
            return [.. (await Task.WhenAll(clients)).SelectMany(own => own)];
        }
    }

    /// <summary>The harness says when it has read its turn; its own start is in the figure.</summary>
    static async Task<Distribution> FirstTurns(BenchHome home, Func<BenchHome, CancellationToken, Task> ready, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            await ready(home, cancellationToken);
            var thread = new BenchThread(home, "codex");
            await thread.Spawn(cancellationToken);
            await thread.Say("bench read 1", cancellationToken);
            var asked = Stopwatch.GetTimestamp();
            var execution = await thread.Execute(cancellationToken);
            await using var events = await thread.Follow(live: false, cancellationToken);
            double? read = null;
            while (read is null && await events.MoveNextAsync())
            {
                if (Stamp().Match(events.Current.Json) is { Success: true } stamp)
                    read = double.Parse(stamp.ValueSpan, CultureInfo.InvariantCulture) / 1e6;
            }

            await BenchThread.End(events, execution);
            times.Add((read ?? throw new InvalidOperationException("The harness's line never came.")) - (double)asked / Stopwatch.Frequency * 1e3);
        }

        return new Distribution(times.Skip(1));
    }

    static async Task Filled(BenchHome home, CancellationToken cancellationToken)
    {
        while (true)
        {
            var pool = await home.Http.GetFromJsonAsync<JsonElement>("/agent/pool", cancellationToken);
            if (pool.GetProperty("current_size").GetInt32() >= pool.GetProperty("target_size").GetInt32())
                return;
            await Task.Delay(50, cancellationToken);
        }
    }

    static async Task<double> SingleRows(BenchHome home, CancellationToken cancellationToken)
    {
        await home.Sql("create table bench_rows (id bigserial primary key, body text)", cancellationToken);
        return await home.PgBench("insert into bench_rows (body) values ('x')", AtOnce, cancellationToken);
    }

    [GeneratedRegex(@"(?<="")\d{10,}(?="")", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Stamp();
}
