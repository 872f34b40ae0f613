using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>Another proxy that only knows CONNECT. Wherever it is asked for, it leads to one port of this machine; what it was asked is kept.</summary>
sealed class ForwardProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly ConcurrentBag<Task> serving = [];
    readonly int port;
    readonly string answer;
    readonly Task accepting;

    /// <param name="port">Where all tunnels lead.</param>
    /// <param name="answer">The status line that every client gets.</param>
    public ForwardProxy(int port, string answer = "HTTP/1.1 200 OK")
    {
        (this.port, this.answer) = (port, answer);
        listener.Start();
        accepting = Accept();
    }

    public string Address => listener.LocalEndpoint.ToString()!;

    /// <summary>Heads as they came.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(serving);
        listener.Dispose();
        stopping.Dispose();
    }

    async Task Accept()
    {
        try
        {
            while (true)
                serving.Add(Serve(await listener.AcceptTcpClientAsync(stopping.Token)));
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    async Task Serve(TcpClient accepted)
    {
        using var client = accepted;
        try
        {
            var stream = client.GetStream();
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, stopping.Token) > 0)
                head.Append((char)one[0]);
            Asked.Enqueue(head.ToString());
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer + "\r\n\r\n"), stopping.Token);
            if (!answer.Contains(" 200 ", StringComparison.Ordinal))
                return;
            using var upstream = new TcpClient();
            await upstream.ConnectAsync(IPAddress.Loopback, port, stopping.Token);
            var behind = upstream.GetStream();
            await Task.WhenAny(stream.CopyToAsync(behind, stopping.Token), behind.CopyToAsync(stream, stopping.Token));
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or SocketException)
        {
            // One side left.
        }
    }
}
