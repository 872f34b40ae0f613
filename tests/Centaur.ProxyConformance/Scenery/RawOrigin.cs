using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Centaur.ProxyConformance.Scenery;

/// <summary>A server over TLS that answers each head with exactly the bytes that it was told, and closes.</summary>
sealed class RawOrigin : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly X509Certificate2 certificate;
    readonly ConcurrentQueue<SeenByOrigin> seen;
    readonly Task accepting;

    /// <param name="certificate">What it shows.</param>
    /// <param name="seen">Takes what it was sent.</param>
    public RawOrigin(X509Certificate2 certificate, ConcurrentQueue<SeenByOrigin> seen)
    {
        (this.certificate, this.seen) = (certificate, seen);
        listener.Start();
        accepting = Accept();
    }

    public string Answer { get; set; } = "";

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        stopping.Dispose();
        certificate.Dispose();
    }

    async Task Accept()
    {
        try
        {
            while (true)
                _ = Serve(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    async Task Serve(TcpClient connection)
    {
        var answer = Encoding.Latin1.GetBytes(Answer);
        try
        {
            using (connection)
            await using (var tls = new SslStream(connection.GetStream()))
            {
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stopping.Token);
                if (await ReadHead(tls) is not { } head)
                    return;
                seen.Enqueue(head);
                await tls.WriteAsync(answer, stopping.Token);
                await tls.ShutdownAsync();
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The other side left.
        }
    }

    async Task<SeenByOrigin?> ReadHead(Stream stream)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, stopping.Token) == 0)
                return null;
            text.Append((char)one[0]);
        }

        var lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        return new SeenByOrigin(first[0], first[1], first[2], [.. lines.Skip(1).Select(line => line.Split(": ", 2)).Select(pair => KeyValuePair.Create(pair[0], pair[^1]))]);
    }
}
