using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>
/// What goes on once it is known where a connection leads.
/// <para>1. A passed-through host is relayed as it is.</para>
/// <para>2. The first byte tells TLS from cleartext HTTP; anything else is closed.</para>
/// <para>3. TLS ends here; or, where none is looked into, the name in its first message decides, and it is relayed.</para>
/// </summary>
/// <param name="tls">Ends TLS and serves what is inside; null where none is looked into.</param>
/// <param name="plain">Serves cleartext HTTP.</param>
/// <param name="parts">What is shared.</param>
sealed class TunnelInside(ConnectionDelegate? tls, ConnectionDelegate plain, FrontParts parts)
{
    const int TlsPort = 443;

    /// <summary>Behind an answer that opened a tunnel.</summary>
    public async Task Enter(ConnectionContext connection, Authority target, PolicyModel policy)
    {
        var first = await connection.PeekFirstByte(parts.Limits.HeadTimeout);

        // 1.
        if (policy.For(target.Host, target.IsAddress).Passthrough)
        {
            if (first == Arrivals.TlsHandshake)
                await parts.Relay.Run(connection, target, policy, "passthrough");
            else if (first >= 0)
                Refuse(target, new Refusal(0, RefusalCodes.ProtocolNotAllowed, "Not TLS.", ""));
            return;
        }

        // 2.
        var tunnel = new Tunnel { Target = target, Secure = first == Arrivals.TlsHandshake };
        connection.Features.Set(tunnel);
        if (first is >= 'A' and <= 'Z')
            await plain(connection);
        else if (first == Arrivals.TlsHandshake)
            await (tls is null ? RelayByName(connection, tunnel) : EndTls(tls, connection, tunnel));
        else if (first >= 0)
            Refuse(target, new Refusal(0, RefusalCodes.ProtocolNotAllowed, "Neither TLS nor HTTP.", ""));
    }

    /// <summary>HTTP of a client that was led here.</summary>
    public Task EnterPlain(ConnectionContext connection)
    {
        connection.Features.Set(new Tunnel { Direct = true });
        return plain(connection);
    }

    /// <summary>HTTP of a client that knows that it speaks to a proxy.</summary>
    public Task EnterAbsolute(ConnectionContext connection) => plain(connection);

    /// <summary>TLS of a client that was led here.</summary>
    public async Task EnterTls(ConnectionContext connection)
    {
        var tunnel = new Tunnel { Direct = true, Secure = true };
        connection.Features.Set(tunnel);
        var first = await connection.PeekFirstByte(parts.Limits.HeadTimeout);
        if (first == Arrivals.TlsHandshake)
            await (tls is null ? RelayByName(connection, tunnel) : EndTls(tls, connection, tunnel));
        else if (first >= 0)
            Refuse(null, new Refusal(0, RefusalCodes.ProtocolNotAllowed, "Not TLS.", ""));
    }

    // 3.
    async Task EndTls(ConnectionDelegate next, ConnectionContext connection, Tunnel tunnel)
    {
        try
        {
            await next(connection);
        }
        catch (NotSupportedException)
        {
            // What begins like TLS and is none: a certificate is never asked for, and its want is what is complained of.
            Refuse(tunnel.Target, new Refusal(0, RefusalCodes.ProtocolNotAllowed, "No ClientHello.", ""));
        }
    }

    async Task RelayByName(ConnectionContext connection, Tunnel tunnel)
    {
        var hello = await ClientHello.Peek(connection);
        if (hello.State != HelloState.Whole)
        {
            Refuse(tunnel.Target, new Refusal(0, RefusalCodes.ProtocolNotAllowed, "No ClientHello.", ""));
            return;
        }

        var policy = parts.Policies.Current;
        if (ServerNames.Target(hello.Name, tunnel, TlsPort) is not { } target)
        {
            Refuse(tunnel.Target, new Refusal(0, RefusalCodes.SniMismatch, "", ""));
            return;
        }

        if (TunnelJudge.Judge(target, hello.Name, "the server name", policy) is { } refusal)
        {
            Refuse(target, refusal);
            return;
        }

        var rule = Array.Find(policy.For(target.Host, target.IsAddress).Rules, rule => rule.CoversPort(target.Port));
        await parts.Relay.Run(connection, target, policy, rule?.Name ?? "passthrough");
    }

    void Refuse(Authority? target, Refusal refusal) => parts.Audit.Refused(parts.Policies.Current, target, "CONNECT", "", "", refusal);
}
