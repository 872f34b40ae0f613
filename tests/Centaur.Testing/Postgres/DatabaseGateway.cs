using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Centaur.Testing.Postgres;

/// <summary>
/// A way to a database that can be cut, as a network is: while it is, nothing passes and nobody is told. What was connected before a cut is dead for ever, and hears that never;
/// what connects after it is healed passes again.
/// </summary>
public sealed class DatabaseGateway : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly ConcurrentBag<Socket> sockets = [];
    readonly string target;
    readonly Task accepting;
    CancellationTokenSource cut = new();
    volatile bool isCut;

    /// <param name="database">A connection string of <see cref="PostgresServer"/>.</param>
    public DatabaseGateway(string database)
    {
        var builder = new NpgsqlConnectionStringBuilder(database);
        target = $"{builder.Host}/.s.PGSQL.{builder.Port}";
        listener.Start();
        builder.Host = "127.0.0.1";
        builder.Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        ConnectionString = builder.ConnectionString;
        accepting = Accept();
    }

    /// <summary>The database through this gateway.</summary>
    public string ConnectionString { get; }

    public void Cut()
    {
        isCut = true;
        cut.Cancel();
    }

    public void Heal()
    {
        cut.Dispose();
        cut = new CancellationTokenSource();
        isCut = false;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        foreach (var socket in sockets)
            socket.Dispose();
        cut.Dispose();
        stopping.Dispose();
    }

    async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stopping.Token);
                sockets.Add(client);
                // While it is cut a connection stands, and its first word is never answered.
                if (!isCut)
                    _ = Pass(client, cut.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    async Task Pass(Socket client, CancellationToken over)
    {
        var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        sockets.Add(server);
        try
        {
            await server.ConnectAsync(new UnixDomainSocketEndPoint(target), over);
            await Task.WhenAny(Copy(client, server, over), Copy(server, client, over));
            if (!over.IsCancellationRequested)
            {
                client.Dispose();
                server.Dispose();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // It was cut before it stood.
        }
    }

    static async Task Copy(Socket from, Socket to, CancellationToken over)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, over)) > 0)
            {
                for (ReadOnlyMemory<byte> rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
                    rest = rest[await to.SendAsync(rest, over)..];
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut, or closed by the other half.
        }
    }
}
