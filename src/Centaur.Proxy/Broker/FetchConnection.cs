using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Broker;

/// <summary>One connection of the fetch socket: a ticket first, then questions. Answers may overtake one another.</summary>
sealed class FetchConnection(Socket socket, GrantTable grants, ValueCache values, CacheTerms terms) : IDisposable
{
    const int LongestLine = 64 * 1024;

    readonly NetworkStream stream = new(socket, ownsSocket: true);
    LineWriter? writer;

    LineWriter Writer => writer ??= new LineWriter(stream);

    public async Task Run(CancellationToken stoppingToken)
    {
        await using var reader = new LineReader(stream, LongestLine);
        string? sandbox = null;
        while (await Next(reader, stoppingToken) is { } request)
        {
            switch (request)
            {
                case OpenGrant open when sandbox is null:
                    sandbox = grants.Open(open.Ticket, this);
                    if (sandbox is null)
                    {
                        await Push(new BrokerFailed(0, BrokerFailures.UnknownTicket, "no grant has this ticket"), stoppingToken);
                        return;
                    }

                    await Push(new BrokerDone(), stoppingToken);
                    break;
                case FetchSecret fetch when sandbox is not null:
                    // One slow source must not keep the other questions waiting.
                    _ = Answer(fetch, sandbox, stoppingToken);
                    break;
                default:
                    await Push(new BrokerFailed(0, BrokerFailures.Malformed, "a ticket comes first, and questions after it"), stoppingToken);
                    return;
            }
        }
    }

    public async Task Push(BrokerReply reply, CancellationToken cancellationToken)
    {
        try
        {
            await Writer.Write(reply, ProtocolJson.Default.BrokerReply, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException or ObjectDisposedException)
        {
            // The proxy is gone; its reading side ends this connection.
        }
    }

    /// <summary>Ends the connection after what was pushed.</summary>
    public void End()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // It ended by itself.
        }
    }

    public void Dispose()
    {
        grants.Close(this);
        writer?.Dispose();
        stream.Dispose();
    }

    async Task Answer(FetchSecret fetch, string sandbox, CancellationToken stoppingToken)
    {
        if (grants.Find(sandbox, this, fetch.Name) is not { } source)
        {
            await Push(new BrokerFailed(fetch.Id, BrokerFailures.NotGranted, "no value of that secret is set for this sandbox; an operator sets one with: centaur secrets set"), stoppingToken);
            return;
        }

        var (answer, maxAge) = await values.Get(fetch.Name, source, terms, stoppingToken);
        // A grant that was revoked while the source was read is revoked.
        BrokerReply reply = answer.Value is null
            ? new BrokerFailed(fetch.Id, answer.Code, answer.Message)
            : grants.Find(sandbox, this, fetch.Name) == source
                ? new SecretValue(fetch.Id, fetch.Name, Convert.ToBase64String(answer.Value), Math.Max(1, (int)maxAge.TotalSeconds))
                : new BrokerFailed(fetch.Id, BrokerFailures.NotGranted, "the grant was withdrawn");
        await Push(reply, stoppingToken);
    }

    static async Task<BrokerRequest?> Next(LineReader reader, CancellationToken stoppingToken)
    {
        var line = await reader.Read(stoppingToken);
        if (line.Kind != LineKind.Complete)
            return null;
        try
        {
            return JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.BrokerRequest) ?? new Unreadable();
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            return new Unreadable();
        }
    }

    sealed record Unreadable : BrokerRequest;
}
