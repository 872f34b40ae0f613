using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Broker;

namespace Centaur.Runner.Keep.Proxy;

/// <summary>Opens a sandbox's grant at the secret broker: the connection that its proxy then fetches values over. The keeper itself asks for none.</summary>
internal static class BrokerGrant
{
    const int LongestAnswer = 4096;

    /// <exception cref="IOException">The broker is not there, or does not know the ticket.</exception>
    public static async Task<Socket> Open(string brokerSocket, string ticket, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(brokerSocket), cancellationToken);
            byte[] question = [.. JsonSerializer.SerializeToUtf8Bytes(new OpenGrant(ticket), ProtocolJson.Default.BrokerRequest), (byte)'\n'];
            for (ReadOnlyMemory<byte> rest = question; !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellationToken)..];
            var answer = JsonSerializer.Deserialize(await ReadLine(socket, cancellationToken), ProtocolJson.Default.BrokerReply);
            return answer switch
            {
                BrokerDone => socket,
                BrokerFailed failed => throw new IOException($"The secret broker refused the grant: {failed.Code}."),
                _ => throw new IOException("The secret broker gave an answer that is not known."),
            };
        }
        catch (Exception failure)
        {
            socket.Dispose();
            if (failure is SocketException or JsonException)
                throw new IOException($"The secret broker cannot be reached: {failure.Message}", failure);
            throw;
        }
    }

    // Not a byte beyond the line feed: what follows is the proxy's.
    static async Task<byte[]> ReadLine(Socket socket, CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < LongestAnswer && await socket.ReceiveAsync(one, SocketFlags.None, cancellationToken) == 1 && one[0] != (byte)'\n')
            line.Add(one[0]);
        return [.. line];
    }
}
