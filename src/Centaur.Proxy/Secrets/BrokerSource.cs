using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;

namespace Centaur.Proxy.Secrets;

/// <summary>The connection to the broker that the keeper handed over. It can be replaced while requests wait.</summary>
sealed class BrokerSource(TimeProvider time) : ISecretSource, IDisposable
{
    const int LongestLine = 1 << 20;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<long, TaskCompletionSource<SecretFetch>> questions = new();
    volatile Connection? current;
    long nextId;

    /// <summary>Told the name of a value that must be forgotten.</summary>
    public Action<string>? Revoked { get; set; }

    /// <summary>Told when the connection in use has ended.</summary>
    public Action? Lost { get; set; }

    public async Task<SecretFetch> Fetch(string name, CancellationToken cancellationToken)
    {
        if (current is not { } connection)
            return SecretFetch.Failed("this sandbox has no connection to the secret broker");
        var id = Interlocked.Increment(ref nextId);
        var answer = new TaskCompletionSource<SecretFetch>(TaskCreationOptions.RunContinuationsAsynchronously);
        questions[id] = answer;
        try
        {
            await connection.Writer.Write(new FetchSecret(id, name), ProtocolJson.Default.BrokerRequest, cancellationToken);
            return await answer.Task.WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException or ObjectDisposedException)
        {
            return SecretFetch.Failed("the secret broker is gone");
        }
        catch (TimeoutException)
        {
            return SecretFetch.Failed("the secret broker did not answer in time");
        }
        finally
        {
            questions.TryRemove(id, out _);
        }
    }

    /// <summary>Uses this connection from now on and closes the one before. The task ends when the connection does.</summary>
    public async Task Use(Socket socket, CancellationToken stoppingToken)
    {
        using var connection = new Connection(socket);
        var before = Interlocked.Exchange(ref current, connection);
        before?.Dispose();
        try
        {
            await Listen(connection, stoppingToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException or ObjectDisposedException or JsonException or OperationCanceledException)
        {
            // Ended or garbled: the same to us.
        }

        if (Interlocked.CompareExchange(ref current, null, connection) != connection)
            return;
        foreach (var question in questions.Values)
            question.TrySetResult(SecretFetch.Failed("the secret broker is gone"));
        if (!stoppingToken.IsCancellationRequested)
            Lost?.Invoke();
    }

    public void Dispose() => current?.Dispose();

    async Task Listen(Connection connection, CancellationToken stoppingToken)
    {
        await using var reader = new LineReader(connection.Stream, LongestLine);
        while (true)
        {
            var line = await reader.Read(stoppingToken);
            if (line.Kind != LineKind.Complete)
                return;
            switch (JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.BrokerReply))
            {
                case SecretValue value:
                    Answer(value.Id, SecretFetch.Of(new Secret(value.Name, Convert.FromBase64String(value.Value)), TimeSpan.FromSeconds(value.MaxAgeSeconds)));
                    break;
                case BrokerFailed failed:
                    Answer(failed.Id, SecretFetch.Failed($"{failed.Code}: {failed.Message}"));
                    break;
                case SecretRevoked revoked:
                    Revoked?.Invoke(revoked.Name);
                    break;
            }
        }
    }

    void Answer(long id, SecretFetch fetch)
    {
        if (questions.TryGetValue(id, out var question))
            question.TrySetResult(fetch);
    }

    sealed class Connection : IDisposable
    {
        public Connection(Socket socket)
        {
            Stream = new NetworkStream(socket, ownsSocket: true);
            Writer = new LineWriter(Stream);
        }

        public NetworkStream Stream { get; }

        public LineWriter Writer { get; }

        public void Dispose()
        {
            Stream.Dispose();
            Writer.Dispose();
        }
    }
}
