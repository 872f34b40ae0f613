using System.Security.Authentication;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Targets;

namespace Centaur.ProxyConformance.Play;

/// <summary>A client of HTTP/1.1, of bytes that are no HTTP, and of WebSockets.</summary>
static class WireClient
{
    public static async Task<Answer> Ask(IRunningProxy proxy, ClientScript client, CancellationToken cancellationToken)
    {
        await using var wire = await Wire.Connect(proxy.Port(client.Listener), cancellationToken);
        if (client is { Listener: "tunnel", Via: "tls" or "tunnel" })
        {
            await wire.Send(RequestText.Connect(client), cancellationToken);
            var opened = await wire.ReadHead(cancellationToken);
            if (!opened.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                return Http1Answer.Read(opened + await wire.ReadToEnd(cancellationToken), "CONNECT", []);
        }

        if (client.Via == "socks" && await SocksGreeting.Say(wire, client, cancellationToken) is not 0 and var refused)
            return new Answer { Reply = refused, Whole = false };

        if (client.Via is "tls" or "socks")
        {
            try
            {
                await wire.Secure(client.ServerName ?? client.Host, proxy.TrustedPem, cancellationToken);
            }
            catch (Exception fault) when (fault is IOException or AuthenticationException)
            {
                return new Answer { HandshakeFailed = true, Whole = false, Raw = fault.Message };
            }
        }

        await wire.Send(client.Bytes ?? RequestText.Of(client), cancellationToken);
        if (client.Frames.Count > 0)
            return await Converse(wire, client, cancellationToken);
        return Http1Answer.Read(await wire.ReadToEnd(cancellationToken), client.Method, wire.Certificate);
    }

    /// <summary>Sends a frame, awaits the answer, sends the next.</summary>
    static async Task<Answer> Converse(Wire wire, ClientScript client, CancellationToken cancellationToken)
    {
        var head = await wire.ReadHead(cancellationToken);
        if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
            return Http1Answer.Read(head + await wire.ReadToEnd(cancellationToken), client.Method, wire.Certificate);
        var heard = new List<string>();
        foreach (var text in client.Frames)
        {
            await wire.Send(SocketFrame.Masked(text), cancellationToken);
            heard.Add(await SocketFrame.Read(wire, cancellationToken));
        }

        return new Answer { Status = 101, Raw = head + string.Concat(heard), Frames = heard, Certificate = wire.Certificate };
    }
}
