using System.Runtime.CompilerServices;

namespace Centaur.Bench.Egress;

/// <summary>Our proxy beside no proxy and beside mitmproxy: TLS on both sides, the same origin, the same client, rounds that take turns.</summary>
internal sealed class ProxyBench : IBench
{
    const int Rounds = 3;
    const int KeepAliveConnections = 16;
    const int TunnelWorkers = 8;
    const int LargeConnections = 4;
    const int LatencyRequests = 3000;
    const int StreamRequests = 150;
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    public string Description => "The egress proxy with 50 rules, audit, scan and a swapped secret, beside direct and mitmproxy.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("centaur-bench-").FullName;
        try
        {
            using var authority = new BenchAuthority();
            await using var origin = await BenchOrigin.Start(folder, authority, cancellationToken);
            await using var ours = await BenchProxy.Ours(Path.Combine(context.Dist, "proxy", "centaur-proxy"), folder, origin, authority, cancellationToken);
            await using var mitm = await BenchProxy.Mitm(folder, cancellationToken);
            await context.Progress.WriteLineAsync($"  origin: {origin.Name}; mitmproxy: {(mitm is null ? "not installed" : "there")}");
            var direct = new Route("direct", 0, authority.Pem);
            var load = new Load(origin);
            await Task.Delay(Idle, cancellationToken);
            yield return Figure.AtMost("proxy memory before its first request, Rss", ours.ResidentMebibytes, "MiB", 60);

            var requests = await Sample(route => load.KeepAlive(route, BenchOrigin.Small, KeepAliveConnections, cancellationToken));
            yield return Figure.AtLeastTimes("requests/s, h1 keep-alive, 16 connections, of direct", requests[1], "/s", requests[0], 0.35);
            if (mitm is not null)
                yield return Figure.AtLeastTimes("requests/s, h1 keep-alive, 16 connections, of mitmproxy", requests[1], "/s", requests[2], 10);

            var tunnels = await Sample(route => load.NewTunnels(route, TunnelWorkers, cancellationToken));
            yield return Figure.AtLeastTimes("new tunnels/s, 8 at once, one request each, of direct", tunnels[1], "/s", tunnels[0], 0.45);
            if (mitm is not null)
                yield return Figure.AtLeastTimes("new tunnels/s, 8 at once, one request each, of mitmproxy", tunnels[1], "/s", tunnels[2], 5);

            var large = await Sample(route => load.KeepAlive(route, BenchOrigin.Large, LargeConnections, cancellationToken));
            yield return Figure.AtLeastTimes("1 MiB responses, h1, 4 connections, of direct", large[1], "MiB/s", large[0], 0.35);

            var (straight, proxied) = (await load.Latency(direct, LatencyRequests, cancellationToken), await load.Latency(ours.Route, LatencyRequests, cancellationToken));
            yield return Figure.AtMost("latency added, one connection, p50 (yardstick: direct)", proxied.Median - straight.Median, "ms", 0.6, straight.Median);
            yield return Figure.AtMost("latency added, one connection, p99 (yardstick: direct)", proxied.P99 - straight.P99, "ms", 5, straight.P99);
            (straight, proxied) = (await load.FirstByte(direct, StreamRequests, cancellationToken), await load.FirstByte(ours.Route, StreamRequests, cancellationToken));
            yield return Figure.AtMost("first byte of a stream later, p50 (yardstick: direct)", proxied.Median - straight.Median, "ms", 1, straight.Median);

            await Task.Delay(Idle, cancellationToken);
            yield return Figure.AtMost("proxy memory after the load, Rss", ours.ResidentMebibytes, "MiB", 120);

            // The routes take turns, so that what else the machine does falls on all of them.
            async Task<double[]> Sample(Func<Route, Task<double>> measure)
            {
                var routes = new List<Route> { direct, ours.Route };
                if (mitm is not null)
                    routes.Add(mitm.Route);
                var samples = routes.ConvertAll(_ => new List<double>());
                for (var round = 0; round < Rounds; round++)
                {
                    for (var i = 0; i < routes.Count; i++)
                        samples[i].Add(await measure(routes[i]));
                }

                return [.. samples.Select(sample => new Distribution(sample).Median)];
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
