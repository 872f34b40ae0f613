using System.Diagnostics;

namespace Centaur.Bench.Egress;

/// <summary>Loads of one shape, the same for every route.</summary>
internal sealed class Load(BenchOrigin origin)
{
    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    /// <returns>Requests per second over connections that stay.</returns>
    public Task<double> KeepAlive(Route route, string path, int connections, CancellationToken cancellationToken)
    {
        var request = BenchClient.Request(path, origin.Port);
        return Rate(connections, Worker, cancellationToken);

        async Task Worker(Func<bool> goesOn, Action done)
        {
            await using var client = await BenchClient.Open(route, origin.Port, cancellationToken);
            while (goesOn())
            {
                await client.Ask(request, cancellationToken);
                done();
            }
        }
    }

    /// <returns>Connections per second, each with a TLS handshake and one request.</returns>
    public Task<double> NewTunnels(Route route, int workers, CancellationToken cancellationToken)
    {
        var request = BenchClient.Request(BenchOrigin.Small, origin.Port);
        return Rate(workers, Worker, cancellationToken);

        async Task Worker(Func<bool> goesOn, Action done)
        {
            while (goesOn())
            {
                await using var client = await BenchClient.Open(route, origin.Port, cancellationToken);
                await client.Ask(request, cancellationToken);
                done();
            }
        }
    }

    /// <returns>Milliseconds of single requests, one after another.</returns>
    public async Task<Distribution> Latency(Route route, int requests, CancellationToken cancellationToken)
    {
        var request = BenchClient.Request(BenchOrigin.Small, origin.Port);
        await using var client = await BenchClient.Open(route, origin.Port, cancellationToken);
        var times = new List<double>(requests);
        for (var i = 0; i < requests + requests / 4; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await client.Ask(request, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return new Distribution(times.Skip(requests / 4));
    }

    /// <returns>Milliseconds from the request to the first byte of a body that goes on later; a connection each, which stands before it is asked.</returns>
    public async Task<Distribution> FirstByte(Route route, int requests, CancellationToken cancellationToken)
    {
        var request = BenchClient.Request(BenchOrigin.Streamed, origin.StreamPort);
        var times = new List<double>(requests);
        await using var client = await BenchClient.Open(route, origin.StreamPort, cancellationToken);
        for (var i = 0; i < requests + requests / 4; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await client.AskFirstByte(request, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            await client.Rest(cancellationToken);
        }

        return new Distribution(times.Skip(requests / 4));
    }

    /// <summary>Connections that stay open, each after one request.</summary>
    public async Task<IAsyncDisposable> Held(Route route, int connections, CancellationToken cancellationToken)
    {
        var held = new HeldConnections();
        var request = BenchClient.Request(BenchOrigin.Small, origin.Port);
        while (held.Count < connections)
        {
            var client = await BenchClient.Open(route, origin.Port, cancellationToken);
            held.Add(client);
            await client.Ask(request, cancellationToken);
        }

        return held;
    }

    sealed class HeldConnections : List<BenchClient>, IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            foreach (var client in this)
                await client.DisposeAsync();
        }
    }

    static async Task<double> Rate(int workers, Func<Func<bool>, Action, Task> worker, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        var count = 0L;
        var until = WarmUp + Measured;
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => worker(GoesOn, Done), cancellationToken)));
        return count / Measured.TotalSeconds;

        bool GoesOn() => Stopwatch.GetElapsedTime(begun) < until;

        void Done()
        {
            var at = Stopwatch.GetElapsedTime(begun);
            if (at >= WarmUp && at < until)
                Interlocked.Increment(ref count);
        }
    }
}
