using System.Net;
using System.Text;
using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>
/// A client that asks by SOCKS5 (RFC 1928), to connect and for nothing else.
/// <para>1. It must be content without authentication. 2. It says where to: a name, or an address that is judged as one written in a URL is. 3. The answer names no address: where this
/// proxy connects to, and whether at all, shows inside.</para>
/// </summary>
sealed class SocksEntrance(FrontParts parts, TunnelInside inside)
{
    const byte Version = 5;
    const byte NoAuthentication = 0;
    const byte Connect = 1;

    public async Task Run(ConnectionContext connection)
    {
        var (target, text, answer) = await Greet(connection);
        if (answer == SocksAnswer.Gone)
            return;
        var policy = parts.Policies.Current;
        var refusal = target is { } known ? TunnelJudge.Judge(known, text, "the SOCKS request", policy) : Unreadable(answer);
        if (refusal is not null)
        {
            parts.Audit.Refused(policy, target, "SOCKS5", "", "", refusal);
            await Say(connection, target is null ? answer : SocksAnswer.NotAllowed);
            await connection.Transport.Output.CompleteAsync();
            return;
        }

        // 3.
        await Say(connection, SocksAnswer.Granted);
        await inside.Enter(connection, target!.Value, policy);
    }

    async Task<(Authority? Target, string Text, SocksAnswer Answer)> Greet(ConnectionContext connection)
    {
        using var patience = Arrivals.Patience(connection, parts.Limits.HeadTimeout);

        // 1.
        if (await connection.ReadExactly(2, patience.Token) is not [_, var count] || await connection.ReadExactly(count, patience.Token) is not { } methods)
            return (null, "", SocksAnswer.Gone);
        if (!methods.Contains(NoAuthentication))
            return (null, "", SocksAnswer.NoMethod);
        await connection.Transport.Output.WriteAsync(new[] { Version, NoAuthentication }, patience.Token);

        // 2.
        if (await connection.ReadExactly(4, patience.Token) is not [var version, var command, _, var kind])
            return (null, "", SocksAnswer.Gone);
        if (version != Version)
            return (null, "", SocksAnswer.Failed);
        if (command != Connect)
            return (null, "", SocksAnswer.CommandUnknown);
        var (name, problem) = await ReadName(connection, kind, patience.Token);
        if (problem != SocksAnswer.Granted)
            return (null, "", problem);
        if (await connection.ReadExactly(2, patience.Token) is not [var high, var low])
            return (null, "", SocksAnswer.Gone);
        return HostName.TryCanonical(name, out var host, out var isAddress) && (high | low) != 0
            ? (new Authority(host, high << 8 | low, isAddress), name, SocksAnswer.Granted)
            : (null, "", SocksAnswer.Failed);
    }

    static async Task<(string Name, SocksAnswer Problem)> ReadName(ConnectionContext connection, byte kind, CancellationToken cancellationToken)
    {
        const byte four = 1, name = 3, six = 4;
        var length = kind switch { four => 4, six => 16, _ => 0 };
        if (kind == name)
        {
            if (await connection.ReadExactly(1, cancellationToken) is not [var announced])
                return ("", SocksAnswer.Gone);
            length = announced;
        }

        if (length == 0)
            return ("", kind == name ? SocksAnswer.Failed : SocksAnswer.KindUnknown);
        if (await connection.ReadExactly(length, cancellationToken) is not { } bytes)
            return ("", SocksAnswer.Gone);
        return (kind switch { name => Encoding.Latin1.GetString(bytes), six => $"[{new IPAddress(bytes)}]", _ => new IPAddress(bytes).ToString() }, SocksAnswer.Granted);
    }

    static Refusal Unreadable(SocksAnswer answer) => Refusals.Bad(answer switch
    {
        SocksAnswer.NoMethod => "a SOCKS client must take \"no authentication\"",
        SocksAnswer.CommandUnknown => "of SOCKS only CONNECT is known here",
        SocksAnswer.KindUnknown => "the kind of address is unknown",
        _ => "it is no SOCKS5 request for a host and port",
    });

    static async Task Say(ConnectionContext connection, SocksAnswer answer)
    {
        byte[] bytes = answer == SocksAnswer.NoMethod ? [Version, 0xFF] : [Version, (byte)answer, 0, 1, 0, 0, 0, 0, 0, 0];
        await connection.Transport.Output.WriteAsync(bytes, connection.ConnectionClosed);
    }
}
