using System.Net;
using System.Net.Sockets;
using System.Text;
using Centaur.Proxy.Front;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// A proxy behind this one. It is told the address that was vetted and never the name, so that it cannot be led elsewhere by a second resolution.
/// </summary>
sealed class ChainedProxy
{
    const int LongestHead = 8 * 1024;

    readonly string? authorization;

    ChainedProxy(string host, int port, string? authorization) => (Host, Port, this.authorization) = (host, port, authorization);

    public string Host { get; }

    public int Port { get; }

    /// <param name="address">An http address, with user and password where the proxy wants them.</param>
    public static ChainedProxy Of(Uri address)
    {
        var credentials = Uri.UnescapeDataString(address.UserInfo);
        return new ChainedProxy(address.IdnHost.Trim('[', ']'), address.Port, credentials.Length == 0 ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    /// <summary>Asks for a tunnel on a connection to the proxy.</summary>
    /// <exception cref="UpstreamFault">It does not give one.</exception>
    public async Task Open(Socket socket, IPEndPoint target, string host, CancellationToken cancellationToken)
    {
        var ask = $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n" + (authorization is null ? "" : $"Proxy-Authorization: Basic {authorization}\r\n") + "\r\n";
        try
        {
            var bytes = Encoding.ASCII.GetBytes(ask);
            for (var sent = 0; sent < bytes.Length;)
                sent += await socket.SendAsync(bytes.AsMemory(sent), cancellationToken);
            var status = await ReadStatus(socket, cancellationToken);
            if (status is < 200 or > 299)
                throw new UpstreamFault(RefusalCodes.ConnectFailed, $"The proxy on the way to {host} answered {status} and opened no way.");
        }
        catch (SocketException fault)
        {
            throw new UpstreamFault(RefusalCodes.ConnectFailed, $"The proxy on the way to {host} closed the connection.", fault);
        }
    }

    /// <summary>Byte by byte: what follows the head belongs to whoever uses the tunnel.</summary>
    static async Task<int> ReadStatus(Socket socket, CancellationToken cancellationToken)
    {
        var head = new byte[LongestHead];
        for (var length = 0; length < head.Length; length++)
        {
            if (await socket.ReceiveAsync(head.AsMemory(length, 1), cancellationToken) == 0)
                break;
            if (!head.AsSpan(0, length + 1).EndsWith("\r\n\r\n"u8))
                continue;
            var line = Encoding.Latin1.GetString(head, 0, length).Split("\r\n")[0].Split(' ');
            return line.Length >= 2 && line[0].StartsWith("HTTP/1.", StringComparison.Ordinal) && int.TryParse(line[1], out var status) ? status : 0;
        }

        throw new UpstreamFault(RefusalCodes.ConnectFailed, "The proxy on the way gave no HTTP answer.");
    }
}
