using System.IO.Pipelines;
using System.Net.Sockets;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Upstream;

/// <summary>Carries bytes that are not looked into, of a host that the operator exempted or where he looks into none, and counts them.</summary>
sealed class PassthroughRelay(Dialer dialer, AuditTrail audit, TimeProvider time)
{
    /// <param name="connection">The client, before its first byte for the upstream has been read.</param>
    /// <param name="target">Where to.</param>
    /// <param name="policy">What allowed it.</param>
    /// <param name="rule">Why, for the audit.</param>
    public async Task Run(ConnectionContext connection, Authority target, PolicyModel policy, string rule)
    {
        var id = audit.NewId();
        var started = time.GetTimestamp();
        if (!audit.Intend(new AuditIntent(id, policy, target, "CONNECT", "", rule, [])))
            return;
        long sent = 0, received = 0;
        string? cause = null;
        try
        {
            using var socket = await dialer.Dial(target.Host, target.Port, policy.MapFor(target.Host, target.Port), Hop.Https, connection.ConnectionClosed);
            await using var upstream = new NetworkStream(socket, ownsSocket: false);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
            var up = Copy(connection.Transport.Input, PipeWriter.Create(upstream), count => sent += count, either.Token);
            var down = Copy(PipeReader.Create(upstream), connection.Transport.Output, count => received += count, either.Token);
            await Task.WhenAny(up, down);
            socket.Shutdown(SocketShutdown.Send);
            either.CancelAfter(TimeSpan.FromSeconds(5));
            await Task.WhenAll(up, down);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException)
        {
            cause = fault is UpstreamFault known ? known.Code : "connection_ended";
        }
        finally
        {
            audit.Conclude(policy, new AuditOutcome(id, target, 0, sent, received, time.GetElapsedTime(started), 0, 0, cause));
        }
    }

    static async Task Copy(PipeReader from, PipeWriter to, Action<long> count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await from.ReadAsync(cancellationToken);
            foreach (var segment in result.Buffer)
                await to.WriteAsync(segment, cancellationToken);
            count(result.Buffer.Length);
            from.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }
}
