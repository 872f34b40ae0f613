using System.Collections.Concurrent;

namespace Centaur.Server.Platform.Telemetry.Metrics;

/// <summary>Requests that this process has answered: how many, and how long they took. Kept in memory; a restart begins at zero, as Prometheus expects.</summary>
internal sealed class RequestMetrics
{
    /// <summary>Upper bounds of the histogram's buckets, in seconds.</summary>
    public static IReadOnlyList<double> Bounds { get; } = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    readonly ConcurrentDictionary<(string Method, string Route, int Status), Answers> counts = new();
    readonly ConcurrentDictionary<(string Method, string Route), Durations> durations = new();

    public IEnumerable<((string Method, string Route, int Status) Labels, long Count)> Counts => counts.Select(c => (c.Key, c.Value.Count));

    public IEnumerable<((string Method, string Route) Labels, Durations Durations)> Times => durations.Select(d => (d.Key, d.Value));

    /// <param name="method">As the client wrote it; one that nobody knows is counted as <c>OTHER</c>.</param>
    /// <param name="route">The route's template, never the path: labels come from a closed list.</param>
    /// <param name="status">The answer's status.</param>
    /// <param name="took">Until the answer's last byte.</param>
    public void Answered(string method, string route, int status, TimeSpan took)
    {
        var known = Array.Find(Methods, m => m == method) ?? "OTHER";
        counts.GetOrAdd((known, route, status), _ => new Answers()).Add();
        durations.GetOrAdd((known, route), _ => new Durations()).Add(took);
    }

    sealed class Answers
    {
        long count;

        public long Count => Interlocked.Read(ref count);

        public void Add() => Interlocked.Increment(ref count);
    }
}

/// <summary>One histogram.</summary>
internal sealed class Durations
{
    readonly long[] buckets = new long[RequestMetrics.Bounds.Count + 1];
    long ticks;

    public double Seconds => TimeSpan.FromTicks(Interlocked.Read(ref ticks)).TotalSeconds;

    /// <summary>How many took at most as long as each bound; the last is all.</summary>
    public IReadOnlyList<long> Cumulative()
    {
        var sum = 0L;
        return Enumerable.Range(0, buckets.Length).Select(n => sum += Interlocked.Read(ref buckets[n])).ToList();
    }

    public void Add(TimeSpan took)
    {
        var bucket = 0;
        while (bucket < RequestMetrics.Bounds.Count && took.TotalSeconds > RequestMetrics.Bounds[bucket])
            bucket++;
        Interlocked.Increment(ref buckets[bucket]);
        Interlocked.Add(ref ticks, took.Ticks);
    }
}
