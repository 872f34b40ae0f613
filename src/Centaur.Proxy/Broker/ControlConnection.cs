using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Framing;
using Centaur.Proxy.Logging;

namespace Centaur.Proxy.Broker;

/// <summary>One connection of the control socket: grants and revocations, each acknowledged when it is in force.</summary>
sealed class ControlConnection(Socket socket, GrantTable grants, IReadOnlySet<uint> mayGrant, ILogger log) : IDisposable
{
    const int LongestLine = 1 << 20;

    readonly NetworkStream stream = new(socket, ownsSocket: true);

    public async Task Run(CancellationToken stoppingToken)
    {
        using var writer = new LineWriter(stream);
        var peer = PeerUser();
        if (!mayGrant.Contains(peer))
        {
            log.ControlPeerRefused(peer);
            await writer.Write(new BrokerFailed(0, BrokerFailures.Forbidden, "only the server's own user may grant"), ProtocolJson.Default.BrokerReply, stoppingToken);
            return;
        }

        await using var reader = new LineReader(stream, LongestLine);
        while (true)
        {
            var line = await reader.Read(stoppingToken);
            if (line.Kind == LineKind.End)
                return;
            var reply = line.Kind == LineKind.Complete ? await Obey(line.Bytes, stoppingToken) : new BrokerFailed(0, BrokerFailures.Malformed, "the message is too long");
            await writer.Write(reply, ProtocolJson.Default.BrokerReply, stoppingToken);
        }
    }

    public void Dispose() => stream.Dispose();

    async Task<BrokerReply> Obey(ReadOnlyMemory<byte> line, CancellationToken stoppingToken)
    {
        try
        {
            switch (JsonSerializer.Deserialize(line.Span, ProtocolJson.Default.BrokerRequest))
            {
                case GrantSecrets grant when grant.Ticket.Length >= 16 && grant.SandboxId.Length > 0:
                    await grants.Put(grant, stoppingToken);
                    log.Granted(grant.SandboxId, grant.Secrets.Count);
                    return new BrokerDone();
                case RevokeGrant revoke:
                    await grants.Revoke(revoke.SandboxId, stoppingToken);
                    log.GrantRevoked(revoke.SandboxId);
                    return new BrokerDone();
                default:
                    return new BrokerFailed(0, BrokerFailures.Malformed, "not a grant (with a ticket of 16 characters or more) or a revocation");
            }
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            return new BrokerFailed(0, BrokerFailures.Malformed, "the message is not a known request");
        }
    }

    /// <summary>The uid that the kernel vouches for (SO_PEERCRED: pid, uid, gid).</summary>
    uint PeerUser()
    {
        const int solSocket = 1;
        const int peerCredentials = 17;
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(solSocket, peerCredentials, credentials);
        return BitConverter.ToUInt32(credentials[4..]);
    }
}
