using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Relay;

/// <summary>
/// Carries a client's messages to the upstream. Texts of statements are read whole, within a bound, and judged; everything else streams.
/// </summary>
/// <param name="judge">Decides.</param>
/// <param name="marker">What is sent in place of what was refused.</param>
/// <param name="counts">What is counted.</param>
/// <param name="refused">Told of each refusal: the kind of statement and why.</param>
sealed class ClientRelay(StatementJudge judge, RefusalMarker marker, SessionCounts counts, Action<string, RefusalReason> refused)
{
    public const int LongestStatement = 4 * 1024 * 1024;

    /// <summary>Ends when the client leaves.</summary>
    public async Task Run(WireReader client, WireWriter upstream, CancellationToken cancellationToken)
    {
        try
        {
            while (await client.ReadHeader(cancellationToken) is { } header)
            {
                if ((char)header.Type == 'X')
                    return;
                await Pass(header, client, upstream, cancellationToken);
                if (client.WouldWait)
                    await upstream.Flush(cancellationToken);
            }
        }
        finally
        {
            counts.BytesSent = upstream.Written;
        }
    }

    async ValueTask Pass(WireHeader header, WireReader client, WireWriter upstream, CancellationToken cancellationToken)
    {
        switch ((char)header.Type)
        {
            case 'Q':
                counts.Queries++;
                await PassStatement(header, client, upstream, cancellationToken);
                break;
            case 'P':
                await PassStatement(header, client, upstream, cancellationToken);
                break;
            case 'F':
                counts.Queries++;
                await client.Skip(header.Length, cancellationToken);
                await Refuse('Q', RefusalReason.FunctionCall, "call", upstream, cancellationToken);
                break;
            case 'E':
                counts.Queries++;
                await Stream(header, client, upstream, cancellationToken);
                break;
            // Bind, Close, Describe, Flush, Sync, and the data of COPY.
            case 'B' or 'C' or 'D' or 'H' or 'S' or 'd' or 'c' or 'f':
                await Stream(header, client, upstream, cancellationToken);
                break;
            default:
                throw PostgresFault.Protocol("A message of this type is not passed on.");
        }
    }

    async ValueTask PassStatement(WireHeader header, WireReader client, WireWriter upstream, CancellationToken cancellationToken)
    {
        var type = (char)header.Type;
        if (header.Length > LongestStatement)
        {
            await client.Skip(header.Length, cancellationToken);
            await Refuse(type, RefusalReason.TooLong, StatementKinds.Other, upstream, cancellationToken);
            return;
        }

        var body = await client.ReadBody(header.Length, cancellationToken);
        var verdict = StatementText(type, body) is { } range ? judge.Judge(body[range]) : new Verdict(RefusalReason.Unreadable, [StatementKinds.Other]);
        if (verdict.Reason != RefusalReason.None)
        {
            await Refuse(type, verdict.Reason, verdict.Kinds is [var kind, ..] ? kind : StatementKinds.Other, upstream, cancellationToken);
            return;
        }

        foreach (var passed in verdict.Kinds)
            counts.Add(passed);
        if (verdict.Replacement is { } replacement && type == 'Q')
        {
            await upstream.Write(WireMessage.Query(replacement), cancellationToken);
            return;
        }

        if (verdict.Replacement is not null)
        {
            await Refuse(type, RefusalReason.SetConfig, "select", upstream, cancellationToken);
            return;
        }

        await upstream.WriteHeader(header, cancellationToken);
        await upstream.Write(body, cancellationToken);
    }

    /// <summary>Where the text stands: a Query is one text; a Parse is a name, the text, and a counted list of types. Null where the layout is another.</summary>
    static Range? StatementText(char type, ReadOnlySpan<byte> body)
    {
        var start = type == 'Q' ? 0 : body.IndexOf((byte)0) + 1;
        if (type == 'P' && start == 0)
            return null;
        var length = body[start..].IndexOf((byte)0);
        if (length < 0)
            return null;
        var rest = body[(start + length + 1)..];
        var fits = type == 'Q' ? rest.IsEmpty : rest.Length >= 2 && rest.Length == 2 + (4 * System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(rest));
        return fits ? start..(start + length) : null;
    }

    /// <summary>A refused Query, and a FunctionCall, become a Query that fails; a refused Parse becomes a Parse that fails.</summary>
    async ValueTask Refuse(char type, RefusalReason reason, string kind, WireWriter upstream, CancellationToken cancellationToken)
    {
        counts.Refused++;
        refused(kind, reason);
        var word = marker.For(reason);
        await upstream.Write(type == 'Q' ? WireMessage.Query(word) : new WireMessage('P').Text("").Text(word).Raw("\0\0"u8).Build(), cancellationToken);
    }

    static async ValueTask Stream(WireHeader header, WireReader client, WireWriter upstream, CancellationToken cancellationToken)
    {
        await upstream.WriteHeader(header, cancellationToken);
        await client.CopyBody(header.Length, upstream, cancellationToken);
    }
}
