using System.Buffers;
using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>A client that asks by CONNECT. Its head is read (bounded in size and time), searched for placeholders and judged; then the tunnel is open.</summary>
sealed class ConnectEntrance(FrontParts parts, TunnelInside inside)
{
    static readonly byte[] Established = "HTTP/1.1 200 Connection Established\r\n\r\n"u8.ToArray();

    public async Task Run(ConnectionContext connection)
    {
        if (await ReadHead(connection) is not { } head)
            return;
        var policy = parts.Policies.Current;
        if (TunnelJudge.Judge(head.Target, head.Text, "the CONNECT head", policy) is { } refusal)
        {
            await Refuse(connection, refusal, head.Target);
            return;
        }

        await connection.Transport.Output.WriteAsync(Established, connection.ConnectionClosed);
        await inside.Enter(connection, head.Target, policy);
    }

    async Task<ConnectHead?> ReadHead(ConnectionContext connection)
    {
        using var patience = Arrivals.Patience(connection, parts.Limits.HeadTimeout);
        var input = connection.Transport.Input;
        while (true)
        {
            var result = await input.ReadAsync(patience.Token);
            var end = EndOfHead(result.Buffer);
            if (end is { } position && result.Buffer.Slice(0, position).Length <= parts.Limits.ConnectHeadBytes)
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
            if (end is not null || result.Buffer.Length > parts.Limits.ConnectHeadBytes)
            {
                var tooLarge = new Refusal(431, RefusalCodes.HeadTooLarge, $"The CONNECT head is longer than {parts.Limits.ConnectHeadBytes} bytes.", "Send fewer headers.");
                await Refuse(connection, tooLarge, target: null);
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

    async Task Refuse(ConnectionContext connection, Refusal refusal, Authority? target)
    {
        parts.Audit.Refused(parts.Policies.Current, target, "CONNECT", "", "", refusal);
        await connection.Transport.Output.WriteAsync(refusal.ToConnectResponse(), connection.ConnectionClosed);
        await connection.Transport.Output.CompleteAsync();
    }
}
