using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Secrets;

/// <summary>The broker's control socket: one connection a question, because they are few and a broker may restart at any time.</summary>
public sealed class BrokerClient(HostIdentity host, CrashPoints crash)
{
    static readonly CrashPoint Granting = new("broker.grant");
    static readonly CrashPoint Revoking = new("broker.revoke");
    const int MaxReply = 64 * 1024;

    /// <summary>Names what one sandbox's proxy may fetch, in place of what was granted before.</summary>
    /// <exception cref="BrokerException">The broker is away, or refuses.</exception>
    public Task Grant(GrantSecrets grant, CancellationToken cancellationToken) => Ask(Granting, grant, cancellationToken);

    /// <summary>Withdraws everything that a sandbox was granted.</summary>
    /// <exception cref="BrokerException">The broker is away, or refuses.</exception>
    public Task Revoke(string sandboxId, CancellationToken cancellationToken) => Ask(Revoking, new RevokeGrant(sandboxId), cancellationToken);

    async Task Ask(CrashPoint point, BrokerRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(host.Layout.BrokerControlSocket), cancellationToken);
            await using var stream = new NetworkStream(socket);
            using var writer = new LineWriter(stream);
            await crash.Reach(point, CrashMoment.Before);
            await writer.Write(request, ProtocolJson.Default.BrokerRequest, cancellationToken);
            await using var reader = new LineReader(stream, MaxReply);
            var line = await reader.Read(cancellationToken);
            var reply = line.Kind == LineKind.Complete ? JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.BrokerReply) : null;
            if (reply is BrokerFailed failed)
                throw new BrokerException($"The secret broker refused: {failed.Message} ({failed.Code})", retryHelps: failed.Code == BrokerFailures.SourceUnavailable, null);
            await crash.Reach(point, CrashMoment.After);
            if (reply is not BrokerDone)
                throw new BrokerException("The secret broker ended the connection without an answer.", retryHelps: true, null);
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException)
        {
            throw new BrokerException($"The secret broker at {host.Layout.BrokerControlSocket} does not answer: {e.Message}", retryHelps: true, e);
        }
    }
}

/// <summary>A grant could not be made. The message holds no value of a secret.</summary>
public sealed class BrokerException(string message, bool retryHelps, Exception? inner) : Exception(message, inner)
{
    public bool RetryHelps => retryHelps;
}
