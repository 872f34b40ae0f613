using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Centaur.Bench.Egress;

/// <summary>The way to the origin: straight, through a proxy on this port of loopback, or to a server there that stands for it.</summary>
/// <param name="Name">For people.</param>
/// <param name="ProxyPort">0 is straight.</param>
/// <param name="Trust">PEM of the authority whose leaf the client sees.</param>
internal sealed record Route(string Name, int ProxyPort, string Trust)
{
    /// <summary>The port of a reverse proxy; 0 where there is none.</summary>
    public int ReversePort { get; init; }

    /// <summary>What each client carries, whichever way it takes; our proxy swaps it.</summary>
    public const string Placeholder = "CENTAUR-PLACEHOLDER-bench0123456789";

    public X509ChainPolicy Policy { get; } = PolicyOf(Trust);

    static X509ChainPolicy PolicyOf(string pem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(pem);
        return policy;
    }
}

/// <summary>One connection of the load client, the same for every route: TCP, a CONNECT where the route has a proxy, TLS, requests one after another.</summary>
internal sealed class BenchClient : IAsyncDisposable
{
    static readonly byte[] HeadEnd = "\r\n\r\n"u8.ToArray();

    readonly SslStream stream;
    readonly byte[] buffer = new byte[128 * 1024];
    int start;
    int end;
    long? length;

    BenchClient(SslStream stream) => this.stream = stream;

    public static async Task<BenchClient> Open(Route route, int originPort, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, route.ReversePort != 0 ? route.ReversePort : route.ProxyPort != 0 ? route.ProxyPort : originPort), cancellationToken);
            var network = new NetworkStream(socket, ownsSocket: true);
            if (route.ProxyPort != 0)
                await Connect(network, originPort, cancellationToken);
            var tls = new SslStream(network);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = BenchOrigin.Host, CertificateChainPolicy = route.Policy, EnabledSslProtocols = SslProtocols.Tls13 }, cancellationToken);
            return new BenchClient(tls);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static byte[] Request(string path, int port) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {BenchOrigin.Host}:{port}\r\nAuthorization: Bearer {Route.Placeholder}\r\nAccept: */*\r\n\r\n");

    /// <summary>Sends it and reads the whole answer.</summary>
    /// <returns>The bytes of the body.</returns>
    public async Task<long> Ask(byte[] request, CancellationToken cancellationToken)
    {
        await AskHead(request, cancellationToken);
        return await Rest(cancellationToken);
    }

    /// <summary>Reads the body.</summary>
    public async Task<long> Rest(CancellationToken cancellationToken) =>
        length is { } known ? await Skip(known, cancellationToken) : await Chunks(cancellationToken);

    /// <summary>Sends it and returns when the first byte of the body is here; <see cref="Rest"/> comes next.</summary>
    public async Task AskFirstByte(byte[] request, CancellationToken cancellationToken)
    {
        await AskHead(request, cancellationToken);
        if (start == end)
            await Fill(cancellationToken);
    }

    async Task AskHead(byte[] request, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(request, cancellationToken);
        int head;
        while ((head = buffer.AsSpan(start, end - start).IndexOf(HeadEnd)) < 0)
            await Fill(cancellationToken);
        var text = Encoding.ASCII.GetString(buffer, start, head + 2);
        if (!text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            throw new InvalidOperationException($"The answer was: {text}");
        length = null;
        if (text.IndexOf("\r\ncontent-length: ", StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
            length = long.Parse(text.AsSpan(at + 18, text.IndexOf('\r', at + 18) - at - 18));
        start += head + 4;
    }

    async Task<long> Chunks(CancellationToken cancellationToken)
    {
        for (long total = 0; ;)
        {
            int line;
            while ((line = buffer.AsSpan(start, end - start).IndexOf("\r\n"u8)) < 0)
                await Fill(cancellationToken);
            if (!Utf8Parser.TryParse(buffer.AsSpan(start, line), out int size, out _, 'x'))
                throw new InvalidDataException("A chunk without a size.");
            start += line + 2;
            total += await Skip(size + 2, cancellationToken) - 2;
            if (size == 0)
                return total;
        }
    }

    async Task<long> Skip(long count, CancellationToken cancellationToken)
    {
        for (var left = count; left > 0;)
        {
            if (start == end)
                await Fill(cancellationToken);
            var taken = (int)Math.Min(left, end - start);
            start += taken;
            left -= taken;
        }

        return count;
    }

    async Task Fill(CancellationToken cancellationToken)
    {
        if (start == end)
        {
            start = end = 0;
        }
        else if (end == buffer.Length)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
        end += read > 0 ? read : throw new EndOfStreamException("The connection ended in the middle of an answer.");
    }

    static async Task Connect(NetworkStream network, int originPort, CancellationToken cancellationToken)
    {
        await network.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {BenchOrigin.Host}:{originPort} HTTP/1.1\r\nHost: {BenchOrigin.Host}:{originPort}\r\n\r\n"), cancellationToken);
        var head = new byte[4096];
        var read = 0;
        while (!head.AsSpan(0, read).EndsWith(HeadEnd))
        {
            var more = await network.ReadAsync(head.AsMemory(read), cancellationToken);
            read += more > 0 ? more : throw new EndOfStreamException("The proxy closed the connection.");
        }

        if (!head.AsSpan(0, read).StartsWith("HTTP/1.1 200"u8) && !head.AsSpan(0, read).StartsWith("HTTP/1.0 200"u8))
            throw new InvalidOperationException($"The proxy said: {Encoding.ASCII.GetString(head, 0, read)}");
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
