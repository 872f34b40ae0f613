using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.Bench.Installation;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Bench.Streams;

/// <summary>
/// What a reader of server-sent events waits for, and what the server pays for readers who only wait. A jailed script writes the monotonic clock into each line, and
/// the line goes the whole way: keeper, journal, attach socket, worker, Postgres, stream.
/// </summary>
internal sealed partial class StreamBench : IBench
{
    const int Lines = 500;
    const int WarmUp = 50;
    const int IdleReaders = 2_000;
    const int IdleThreads = 50;
    const double GrowthGoal = 60;
    static readonly TimeSpan Settling = TimeSpan.FromSeconds(20);

    public string Description => "From a harness's line to its reader, and 2,000 readers who wait.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var home = await BenchHome.Start(context, _ => Task.FromResult(BenchHome.WithoutModelKey), cancellationToken);
        foreach (var figure in await Latencies(home, "", cancellationToken))
            yield return figure;

        var before = await Resident(home, cancellationToken);
        var readers = await Readers(home, cancellationToken);
        try
        {
            var commits = await Commits(home, cancellationToken);
            await Task.Delay(Settling, cancellationToken);
            var idle = (await Commits(home, cancellationToken) - commits) / Settling.TotalSeconds;
            yield return Figure.AtMost($"{IdleReaders} idle readers: growth of the server's memory, Rss", await Resident(home, cancellationToken) - before, "MiB", GrowthGoal);
            yield return Figure.Told($"{IdleReaders} idle readers: the database's transactions", idle, "/s");
            foreach (var figure in await Latencies(home, $", beside {IdleReaders} idle readers", cancellationToken))
                yield return figure;
        }
        finally
        {
            foreach (var reader in readers)
                reader.Dispose();
        }
    }

    static async Task<IReadOnlyList<Figure>> Latencies(BenchHome home, string beside, CancellationToken cancellationToken)
    {
        var line = await Latency(home, "lines", live: false, cancellationToken);
        var delta = await Latency(home, "deltas", live: true, cancellationToken);
        return
        [
            Figure.AtMost($"harness line → SSE client{beside}, p50", line.Median, "ms", 5),
            Figure.AtMost($"harness line → SSE client{beside}, p99", line.P99, "ms", 25),
            Figure.AtMost($"harness delta → SSE client with live=1{beside}, p50", delta.Median, "ms", 5),
            Figure.AtMost($"harness delta → SSE client with live=1{beside}, p99", delta.P99, "ms", 25),
        ];
    }

    /// <summary>The reader compares the script's clock with its own, which is the same, when the event has arrived.</summary>
    static async Task<Distribution> Latency(BenchHome home, string word, bool live, CancellationToken cancellationToken)
    {
        var thread = new BenchThread(home, "codex");
        await thread.Spawn(cancellationToken);
        await thread.Say($"bench {word} {Lines + WarmUp}", cancellationToken);
        await using var events = await thread.Follow(live, cancellationToken);
        var execution = await thread.Execute(cancellationToken);
        var late = new Dictionary<long, double>();
        while (await events.MoveNextAsync() && events.Current.EndOf(execution) is null)
        {
            // A merged delta holds the stamps of many, which arrived before: the first sight of each counts.
            foreach (Match stamp in Stamp().Matches(events.Current.Json))
            {
                var written = long.Parse(stamp.ValueSpan, CultureInfo.InvariantCulture);
                late.TryAdd(written, (double)events.Current.Arrived / Stopwatch.Frequency * 1e3 - written / 1e6);
            }
        }

        if (late.Count != Lines + WarmUp)
            throw new InvalidOperationException($"{late.Count} of {Lines + WarmUp} lines arrived; the last event was {events.Current.Json}.");
        return new Distribution(late.OrderBy(line => line.Key).Skip(WarmUp).Select(line => line.Value));
    }

    /// <summary>Streams that stand, each on a connection of its own, on threads where nothing happens.</summary>
    static async Task<IReadOnlyList<HttpResponseMessage>> Readers(BenchHome home, CancellationToken cancellationToken)
    {
        var threads = new List<BenchThread>();
        for (var thread = 0; thread < IdleThreads; thread++)
        {
            threads.Add(new BenchThread(home, "codex"));
            await threads[^1].Spawn(cancellationToken);
        }

        var readers = new List<HttpResponseMessage>();
        while (readers.Count < IdleReaders)
            readers.AddRange(await Task.WhenAll(threads.Select(thread => thread.Open(live: false, cancellationToken))));
        return readers;
    }

    /// <summary>The server's memory as the kernel counts it, in MiB.</summary>
    static async Task<double> Resident(BenchHome home, CancellationToken cancellationToken)
    {
        var server = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(home.Layout.ServerPidFile, cancellationToken), ProtocolJson.Default.ProcessMark)!;
        var status = await File.ReadAllTextAsync($"/proc/{server.Pid}/status", cancellationToken);
        return double.Parse(Rss().Match(status).Groups["kilobytes"].ValueSpan, CultureInfo.InvariantCulture) / 1024;
    }

    static async Task<double> Commits(BenchHome home, CancellationToken cancellationToken) =>
        double.Parse((await home.Sql("select xact_commit from pg_stat_database where datname = current_database()", cancellationToken)).Trim(), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<=[;""])\d{10,}(?=[;""])", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Stamp();

    [GeneratedRegex(@"VmRSS:\s+(?<kilobytes>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rss();
}
