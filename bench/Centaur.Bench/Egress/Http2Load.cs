using System.Diagnostics;
using System.Net;

namespace Centaur.Bench.Egress;

/// <summary>Loads over HTTP/2: a few connections, on each of them many requests at once.</summary>
internal sealed class Http2Load(BenchOrigin origin)
{
    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    /// <returns>Requests per second.</returns>
    public async Task<double> Rate(Route route, string path, int connections, int streams, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        var count = 0L;
        var until = WarmUp + Measured;
        var clients = Enumerable.Range(0, connections).Select(_ => Client(route)).ToList();
        try
        {
            await Task.WhenAll(clients.SelectMany(client => Enumerable.Range(0, streams).Select(_ => Task.Run(() => Worker(client), cancellationToken))));
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }

        return count / Measured.TotalSeconds;

        async Task Worker(HttpMessageInvoker client)
        {
            var buffer = new byte[64 * 1024];
            while (Stopwatch.GetElapsedTime(begun) < until)
            {
                await Ask(client, path, buffer, cancellationToken);
                var at = Stopwatch.GetElapsedTime(begun);
                if (at >= WarmUp && at < until)
                    Interlocked.Increment(ref count);
            }
        }
    }

    async Task Ask(HttpMessageInvoker client, string path, byte[] buffer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{BenchOrigin.Host}:{origin.Http2Port}{path}") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Route.Placeholder);
        using var answer = await client.SendAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"The answer was {(int)answer.StatusCode}.");
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        while (await body.ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }

    static HttpMessageInvoker Client(Route route)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = route.ProxyPort != 0,
            Proxy = route.ProxyPort == 0 ? null : new WebProxy($"http://127.0.0.1:{route.ProxyPort}"),
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = false,
        };
        handler.SslOptions.CertificateChainPolicy = route.Policy;
        if (route.ReversePort != 0)
        {
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, route.ReversePort, cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            };
        }

        return new HttpMessageInvoker(handler);
    }
}
