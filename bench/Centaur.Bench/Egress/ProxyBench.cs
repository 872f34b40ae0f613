using System.Runtime.CompilerServices;

namespace Centaur.Bench.Egress;

/// <summary>Our proxy beside no proxy, beside mitmproxy and beside nginx as a reverse proxy: TLS on both sides, the same origin, the same client, rounds that take turns.</summary>
internal sealed class ProxyBench : IBench
{
    const int Rounds = 3;
    const int KeepAliveConnections = 16;
    const int Http2Connections = 4;
    const int Http2Streams = 16;
    const int TunnelWorkers = 8;
    const int LargeConnections = 4;
    const int LatencyRequests = 3000;
    const int StreamRequests = 150;
    const int IdleConnections = 1000;
    const int Starts = 5;
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    public string Description => "The egress proxy with 50 rules, audit, scan and a swapped secret, beside direct, mitmproxy and nginx.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("centaur-bench-").FullName;
        try
        {
            using var authority = new BenchAuthority();
            await using var origin = await BenchOrigin.Start(folder, authority, cancellationToken);
            var program = Path.Combine(context.Dist, "proxy", "centaur-proxy");
            await using var ours = await BenchProxy.Ours(program, folder, origin, authority, cancellationToken);
            await using var mitm = await BenchProxy.Mitm(folder, http2: false, cancellationToken);
            await using var mitm2 = await BenchProxy.Mitm(folder, http2: true, cancellationToken);
            await using var nginx = await BenchProxy.Nginx(folder, origin, authority, cancellationToken);
            await context.Progress.WriteLineAsync($"  origin: {origin.Name}; mitmproxy: {(mitm is null ? "not installed" : "there")}; nginx: {(nginx is null ? "not installed" : "there")}");
            var direct = new Route("direct", 0, authority.Pem);
            var (load, http2) = (new Load(origin), new Http2Load(origin));
            await Task.Delay(Idle, cancellationToken);
            yield return Figure.AtMost("proxy memory before its first request, Rss", ours.ResidentMebibytes, "MiB", 60);
            var starts = new List<double>();
            for (var start = 0; start < Starts; start++)
            {
                await using var another = await BenchProxy.Ours(program, folder, origin, authority, cancellationToken, $"start-{start}");
                starts.Add(another.StartMilliseconds);
            }

            yield return Figure.Told("proxy start until it listens, median (yardstick: mitmproxy, once)", new Distribution(starts).Median, "ms", mitm?.StartMilliseconds);

            foreach (var figure in Beside("requests/s, h1 keep-alive, 16 connections", "/s", await Sample(mitm, route => load.KeepAlive(route, BenchOrigin.Small, KeepAliveConnections, cancellationToken)), 0.35, 10))
                yield return figure;
            foreach (var figure in Beside("requests/s, h2, 4 connections of 16 streams", "/s", await Sample(mitm2, route => http2.Rate(route, BenchOrigin.Small, Http2Connections, Http2Streams, cancellationToken)), 0.35, 18))
                yield return figure;
            foreach (var figure in Beside("new tunnels/s, 8 at once, one request each", "/s", await Sample(mitm, route => load.NewTunnels(route, TunnelWorkers, cancellationToken)), 0.45, 5))
                yield return figure;
            foreach (var figure in Beside("1 MiB responses, h1, 4 connections", "MiB/s", await Sample(mitm, route => load.KeepAlive(route, BenchOrigin.Large, LargeConnections, cancellationToken)), 0.35, null))
                yield return figure;
            foreach (var figure in Beside("1 MiB responses, h2, 4 connections", "MiB/s", await Sample(mitm2, route => http2.Rate(route, BenchOrigin.Large, LargeConnections, 1, cancellationToken)), 0.25, null))
                yield return figure;

            var (straight, proxied) = (await load.Latency(direct, LatencyRequests, cancellationToken), await load.Latency(ours.Route, LatencyRequests, cancellationToken));
            yield return Figure.AtMost("latency added, one connection, p50 (yardstick: direct)", proxied.Median - straight.Median, "ms", 0.6, straight.Median);
            yield return Figure.AtMost("latency added, one connection, p99 (yardstick: direct)", proxied.P99 - straight.P99, "ms", 5, straight.P99);
            (straight, proxied) = (await load.FirstByte(direct, StreamRequests, cancellationToken), await load.FirstByte(ours.Route, StreamRequests, cancellationToken));
            yield return Figure.AtMost("first byte of a stream later, p50 (yardstick: direct)", proxied.Median - straight.Median, "ms", 1, straight.Median);

            await Task.Delay(Idle, cancellationToken);
            yield return Figure.AtMost("proxy memory after the load, Rss", ours.ResidentMebibytes, "MiB", 120);
            await using (await load.Held(ours.Route, IdleConnections, cancellationToken))
            {
                await Task.Delay(Idle, cancellationToken);
                yield return Figure.Told("proxy memory with 1,000 connections after the load, Rss", ours.ResidentMebibytes, "MiB");
            }

            await using var fresh = await BenchProxy.Ours(program, folder, origin, authority, cancellationToken, "fresh");
            await using (await load.Held(fresh.Route, IdleConnections, cancellationToken))
            {
                await Task.Delay(Idle, cancellationToken);
                yield return Figure.Told("proxy memory with 1,000 connections and nothing before, Rss", fresh.ResidentMebibytes, "MiB");
            }

            // The routes take turns, so that what else the machine does falls on all of them.
            async Task<Dictionary<string, double>> Sample(BenchProxy? mitmproxy, Func<Route, Task<double>> measure)
            {
                var routes = new[] { direct, ours.Route, mitmproxy?.Route, nginx?.Route }.OfType<Route>().ToList();
                var samples = routes.ToDictionary(route => route.Name, _ => new List<double>());
                for (var round = 0; round < Rounds; round++)
                {
                    foreach (var route in routes)
                        samples[route.Name].Add(await measure(route));
                }

                return samples.ToDictionary(sample => sample.Key, sample => new Distribution(sample.Value).Median);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <param name="name">What was measured.</param>
    /// <param name="unit">In what.</param>
    /// <param name="samples">Of each route.</param>
    /// <param name="ofDirect">The share of what goes without a proxy.</param>
    /// <param name="ofMitmproxy">How many times mitmproxy; null where that is no goal.</param>
    static IEnumerable<Figure> Beside(string name, string unit, Dictionary<string, double> samples, double ofDirect, double? ofMitmproxy)
    {
        var ours = samples["centaur-proxy"];
        yield return Figure.AtLeastTimes($"{name}, of direct", ours, unit, samples["direct"], ofDirect);
        if (samples.TryGetValue("mitmproxy", out var mitmproxy))
            yield return ofMitmproxy is { } goal ? Figure.AtLeastTimes($"{name}, of mitmproxy", ours, unit, mitmproxy, goal) : Figure.Told($"{name}, of mitmproxy", ours, unit, Math.Round(mitmproxy, 3));
        if (samples.TryGetValue("nginx", out var nginx))
            yield return Figure.Told($"{name}, of nginx", ours, unit, Math.Round(nginx, 3));
    }
}
