using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Centaur.Testing;

/// <summary>
/// An HTTP server on loopback that gives its answers in turn, byte for byte, and closes each connection: for what no honest server would send.
/// </summary>
public sealed class ScriptedHost : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stopping = new();
    readonly List<string> requests = [];
    readonly Task serving;

    /// <param name="answers">Whole HTTP responses; the last is given again to whoever asks more often.</param>
    public ScriptedHost(params IReadOnlyList<string> answers)
    {
        listener.Start();
        serving = Serve(answers);
    }

    public Uri Address => new($"http://{listener.LocalEndpoint}");

    /// <summary>The requests, head and body.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (requests)
                return [.. requests];
        }
    }

    public static string Answer(string status, string body, string contentType = "application/json", string moreHeaders = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n{moreHeaders}\r\n{body}";

    public static string Events(string body) => $"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await serving;
        stopping.Dispose();
    }

    async Task Serve(IReadOnlyList<string> answers)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                using var client = await listener.AcceptTcpClientAsync(stopping.Token);
                var request = await Read(client.GetStream(), stopping.Token);
                lock (requests)
                    requests.Add(request);
                await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(answers[Math.Min(i, answers.Count - 1)]), stopping.Token);
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    static async Task<string> Read(NetworkStream stream, CancellationToken cancellationToken)
    {
        var bytes = new List<byte>();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var length = await stream.ReadAsync(buffer, cancellationToken);
            bytes.AddRange(buffer.AsSpan(0, length));
            var text = Encoding.UTF8.GetString([.. bytes]);
            if (length == 0 || IsWhole(text, bytes.Count))
                return text;
        }
    }

    static bool IsWhole(string text, int bytes)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        var header = text[..end].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return header is null || bytes >= end + 4 + int.Parse(header["Content-Length:".Length..].Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
