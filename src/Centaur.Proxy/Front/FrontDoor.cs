using System.Buffers;
using System.IO.Pipelines;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Upstream;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>
/// Reads the first bytes of every connection and sends it its way.
/// <para>1. A connection beyond the limit is told so and closed.</para>
/// <para>2. What does not begin with CONNECT is cleartext HTTP in absolute form.</para>
/// <para>3. A CONNECT head is read (bounded in size and time), searched for placeholders and checked against the policy.</para>
/// <para>4. A passed-through host is relayed as it is.</para>
/// <para>5. The first byte behind the answer tells TLS from cleartext HTTP; anything else is closed.</para>
/// </summary>
sealed class FrontDoor(ConnectionDelegate tls, ConnectionDelegate plain, PolicyState policies, ProxyLimits limits, Gate connections, AuditTrail audit, PassthroughRelay relay)
{
    static readonly byte[] Established = "HTTP/1.1 200 Connection Established\r\n\r\n"u8.ToArray();

    public async Task OnConnection(ConnectionContext connection)
    {
        if (!connections.TryEnter())
        {
            await Refuse(connection, Refusals.Busy(RefusalCodes.TooManyConnections, $"This sandbox already holds {limits.Connections} connections to its proxy."), target: null);
            return;
        }

        try
        {
            await Dispatch(connection);
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or ConnectionResetException)
        {
            connection.Abort();
        }
        finally
        {
            connections.Leave();
        }
    }

    async Task Dispatch(ConnectionContext connection)
    {
        if (!await BeginsWithConnect(connection))
        {
            await plain(connection);
            return;
        }

        var head = await ReadConnectHead(connection);
        if (head is null)
            return;
        var policy = policies.Current;
        if (Judge(head, policy) is { } refusal)
        {
            await Refuse(connection, refusal, head.Target);
            return;
        }

        await connection.Transport.Output.WriteAsync(Established, connection.ConnectionClosed);
        var first = await PeekFirstByte(connection);
        if (policy.For(head.Target.Host, head.Target.IsAddress).Passthrough)
        {
            if (first == TlsHandshake)
                await relay.Run(connection, head.Target, policy);
            else if (first >= 0)
                audit.Refused(policy, head.Target, "CONNECT", "", "", new Refusal(0, RefusalCodes.ProtocolNotAllowed, "Not TLS.", ""));
            return;
        }

        var tunnel = new Tunnel(head.Target) { Secure = first == TlsHandshake };
        connection.Features.Set(tunnel);
        if (first == TlsHandshake)
            await tls(connection);
        else if (first is >= 'A' and <= 'Z')
            await plain(connection);
        else if (first >= 0)
            audit.Refused(policy, head.Target, "CONNECT", "", "", new Refusal(0, RefusalCodes.ProtocolNotAllowed, "Neither TLS nor HTTP.", ""));
    }

    const int TlsHandshake = 0x16;

    static Refusal? Judge(ConnectHead head, PolicyModel policy)
    {
        var target = head.Target;
        if (policy.Mentions(head.Text))
        {
            var secret = policy.Secrets.First(secret => head.Text.Contains(secret.Placeholder, StringComparison.Ordinal));
            return Refusals.Placeholder(secret.Name, "the CONNECT head", target.Host);
        }

        var host = policy.For(target.Host, target.IsAddress);
        if (host.Passthrough)
            return null;
        if (host.Rules.Length == 0)
            return Refusals.Host(target, policy);
        return host.CoversPort(target.Port) ? null : Refusals.Port(target, policy);
    }

    /// <summary>Waits until the first bytes tell, and consumes none.</summary>
    async Task<bool> BeginsWithConnect(ConnectionContext connection)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(limits.HeadTimeout);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(patience.Token);
            var seen = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, ConnectHead.Method.Length));
            var begins = ConnectHead.Method.StartsWith(seen.ToArray());
            if (!begins || seen.Length == ConnectHead.Method.Length || result.IsCompleted)
            {
                input.AdvanceTo(result.Buffer.Start);
                return begins && seen.Length == ConnectHead.Method.Length;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    async Task<ConnectHead?> ReadConnectHead(ConnectionContext connection)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(limits.HeadTimeout);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(patience.Token);
            var end = EndOfHead(result.Buffer);
            if (end is { } position && result.Buffer.Slice(0, position).Length <= limits.ConnectHeadBytes)
            {
                var problem = ConnectHead.TryParse(result.Buffer.Slice(0, position), out var head);
                // What is pipelined behind the head stays for whoever reads next.
                input.AdvanceTo(position);
                if (problem is null)
                    return head;
                await Refuse(connection, Refusals.Bad(problem), target: null);
                return null;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (end is not null || result.Buffer.Length > limits.ConnectHeadBytes)
            {
                await Refuse(connection, new Refusal(431, RefusalCodes.HeadTooLarge, $"The CONNECT head is longer than {limits.ConnectHeadBytes} bytes.", "Send fewer headers."), target: null);
                return null;
            }

            if (result.IsCompleted)
                return null;
        }
    }

    static SequencePosition? EndOfHead(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8) ? reader.Position : null;
    }

    async Task<int> PeekFirstByte(ConnectionContext connection)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(limits.HeadTimeout);
        var result = await connection.Transport.Input.ReadAsync(patience.Token);
        var first = result.Buffer.IsEmpty ? -1 : result.Buffer.FirstSpan[0];
        connection.Transport.Input.AdvanceTo(result.Buffer.Start);
        return first;
    }

    async Task Refuse(ConnectionContext connection, Refusal refusal, Authority? target)
    {
        audit.Refused(policies.Current, target, "CONNECT", "", "", refusal);
        await connection.Transport.Output.WriteAsync(refusal.ToConnectResponse(), connection.ConnectionClosed);
        await connection.Transport.Output.CompleteAsync();
    }
}
