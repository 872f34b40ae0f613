using System.Net;
using System.Net.Sockets;

namespace Centaur.Runner.Keep.Relay;

/// <summary>
/// Leads the jail's <c>api.sock</c> to the server's listener for sandboxes, byte for byte, one connection there for each connection here: a server that was
/// restarted needs nothing from us.
/// </summary>
internal sealed class ApiRelay(string socketPath, string upstream) : IDisposable
{
    const int Backlog = 512;
    const int BufferBytes = 16 * 1024;

    readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public void Listen()
    {
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen(Backlog);
    }

    public async Task Run(CancellationToken stoppingToken)
    {
        while (true)
        {
            var client = await listener.AcceptAsync(stoppingToken);
            _ = Serve(client, stoppingToken);
        }
    }

    async Task Serve(Socket client, CancellationToken cancellationToken)
    {
        using var here = client;
        using var there = Upstream(out var address);
        try
        {
            await there.ConnectAsync(address, cancellationToken);
            using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAll(Pump(here, there, broken), Pump(there, here, broken));
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException)
        {
            // Closing both is all that a byte relay can say.
        }
    }

    static async Task Pump(Socket from, Socket to, CancellationTokenSource broken)
    {
        try
        {
            var buffer = new byte[BufferBytes];
            int read;
            while ((read = await from.ReceiveAsync(buffer, SocketFlags.None, broken.Token)) > 0)
            {
                for (ReadOnlyMemory<byte> rest = buffer.AsMemory(0, read); !rest.IsEmpty;)
                    rest = rest[await to.SendAsync(rest, SocketFlags.None, broken.Token)..];
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            await broken.CancelAsync();
            throw;
        }
    }

    Socket Upstream(out EndPoint address)
    {
        const string UnixPrefix = "unix:";
        if (upstream.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            address = new UnixDomainSocketEndPoint(upstream[UnixPrefix.Length..]);
            return new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        }

        address = IPEndPoint.Parse(upstream);
        return new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    }

    public void Dispose() => listener.Dispose();
}
