using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Centaur.Server.Tests.Events;

/// <summary>A reader of a thread's events on a bare socket: it takes as little at a time as the test wants, which no HTTP client does.</summary>
internal sealed class RawReader : IDisposable
{
    const int SmallBuffer = 4 * 1024;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly byte[] buffer = new byte[64 * 1024];

    public static async Task<RawReader> Open(Uri server, string key, string threadKey, long after, CancellationToken cancellationToken)
    {
        var reader = new RawReader();
        try
        {
            // The kernel's buffers would swallow what is to stay at the server.
            reader.socket.ReceiveBufferSize = SmallBuffer;
            await reader.socket.ConnectAsync(IPAddress.Loopback, server.Port, cancellationToken);
            // By HTTP/1.0 the answer comes as it is, not in chunks.
            await reader.socket.SendAsync(
                Encoding.ASCII.GetBytes(
                    $"GET /agent/threads/{Uri.EscapeDataString(threadKey)}/events?after_event_id={after} HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n"),
                cancellationToken);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads a little.</summary>
    /// <returns>As text; empty where the server has closed the connection.</returns>
    public async Task<string> Read(int atMost, CancellationToken cancellationToken) =>
        Encoding.Latin1.GetString(buffer, 0, await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(atMost, buffer.Length)), cancellationToken));

    /// <summary>Reads until the text holds a word, and returns how often another one stands before it.</summary>
    public async Task<int> Count(string counted, string until, CancellationToken cancellationToken)
    {
        var (count, text) = (0, "");
        while (true)
        {
            var more = await Read(buffer.Length, cancellationToken);
            if (more.Length == 0)
                throw new IOException($"The server closed the connection after {count} of {counted}.");
            text += more;
            var end = text.IndexOf(until, StringComparison.Ordinal);
            var known = end < 0 ? text.LastIndexOf('\n') + 1 : end;
            count += text[..known].Split(counted).Length - 1;
            if (end >= 0)
                return count;
            text = text[known..];
        }
    }

    /// <summary>Waits for the head of the answer.</summary>
    public async Task Answered(CancellationToken cancellationToken)
    {
        var text = "";
        while (!text.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var more = await Read(1, cancellationToken);
            if (more.Length == 0)
                throw new IOException($"The server closed the connection: {text}");
            text += more;
        }

        text.ShouldStartWith("HTTP/1.1 200 ");
    }

    public void Dispose() => socket.Dispose();
}
