using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Connections;

namespace Centaur.Proxy.Front;

/// <summary>
/// Reads the first bytes of every connection and sends it its way.
/// <para>1. A connection beyond the limit is told so and closed.</para>
/// <para>2. Where clients are led here, the connection is what it is said to be, or is closed.</para>
/// <para>3. Elsewhere the first bytes tell SOCKS5 from CONNECT; everything else is cleartext HTTP in absolute form.</para>
/// </summary>
sealed class FrontDoor(Entrance entrance, FrontParts parts, TunnelInside inside)
{
    const int Socks5 = 0x05;

    readonly ConnectEntrance connect = new(parts, inside);
    readonly SocksEntrance socks = new(parts, inside);

    public async Task OnConnection(ConnectionContext connection)
    {
        // 1.
        if (!parts.Connections.TryEnter())
        {
            await TurnAway(connection);
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
            parts.Connections.Leave();
        }
    }

    async Task Dispatch(ConnectionContext connection)
    {
        // 2.
        if (entrance == Entrance.Http)
            await inside.EnterPlain(connection);
        else if (entrance == Entrance.Https)
            await inside.EnterTls(connection);

        // 3.
        else if (await connection.PeekFirstByte(parts.Limits.HeadTimeout) == Socks5)
            await socks.Run(connection);
        else if (await connection.BeginsWith(ConnectHead.Method, parts.Limits.HeadTimeout))
            await connect.Run(connection);
        else
            await inside.EnterAbsolute(connection);
    }

    async Task TurnAway(ConnectionContext connection)
    {
        var refusal = Refusals.Busy(RefusalCodes.TooManyConnections, $"This sandbox already holds {parts.Limits.Connections} connections to its proxy.");
        parts.Audit.Refused(parts.Policies.Current, null, "CONNECT", "", "", refusal);
        // Who speaks TLS could not read it.
        if (entrance != Entrance.Https)
            await connection.Transport.Output.WriteAsync(refusal.ToConnectResponse(), connection.ConnectionClosed);
        await connection.Transport.Output.CompleteAsync();
    }
}
