using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres;

/// <summary>
/// Where clients reach databases without their passwords. It takes a socket that listens already, so that whoever configures it (a file, or a sandbox's keeper) decides where.
/// </summary>
sealed class PostgresListener : IAsyncDisposable
{
    const int MostConnections = 100;

    static readonly TimeSpan LongestParting = TimeSpan.FromSeconds(1);

    readonly Socket listener;
    readonly PostgresSession session;
    readonly Gate gate = new(MostConnections);
    readonly ConcurrentDictionary<Task, bool> sessions = new();
    readonly CancellationTokenSource stopping = new();
    readonly Task accepting;

    /// <param name="listener">Listens; owned from here on.</param>
    /// <param name="parts">What is shared.</param>
    public PostgresListener(Socket listener, PostgresParts parts)
    {
        this.listener = listener;
        session = new PostgresSession(parts, new CancelKeys());
        accepting = Accept();
    }

    public EndPoint Address => listener.LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await accepting;
        await Task.WhenAll(sessions.Keys);
        stopping.Dispose();
    }

    async Task Accept()
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(stopping.Token);
            }
            catch (Exception fault) when (fault is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // One that left before it was accepted.
                continue;
            }

            var task = Serve(client);
            sessions[task] = true;
            _ = Forget(task);
        }
    }

    /// <summary>
    /// Reads what the client still sends, for a moment: a connection closed with bytes unread is reset, and the client would lose the error that it was told last.
    /// </summary>
    async Task Part(Socket client, NetworkStream stream)
    {
        client.Shutdown(SocketShutdown.Send);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        patience.CancelAfter(LongestParting);
        var rest = new byte[4096];
        while (await stream.ReadAsync(rest, patience.Token) > 0)
        {
            // Nobody is interested.
        }
    }

    async Task Forget(Task task)
    {
        await task;
        sessions.TryRemove(task, out _);
    }

    async Task Serve(Socket client)
    {
        using var socket = client;
        var entered = gate.TryEnter();
        // The next client is accepted first.
        await Task.Yield();
        try
        {
            if (client.ProtocolType == ProtocolType.Tcp)
                client.NoDelay = true;
            client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await using var stream = new NetworkStream(client, ownsSocket: false);
            if (entered)
                await session.Run(stream, stopping.Token);
            else
                await stream.WriteAsync(new PostgresFault(SqlStates.TooManyConnections, "Too many clients are connected.", "too_many_connections") { Hint = "Try again later." }.ToMessage(), stopping.Token);
            await Part(client, stream);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client left, or the proxy ends; the session wrote its outcome.
        }
        finally
        {
            if (entered)
                gate.Leave();
        }
    }
}
