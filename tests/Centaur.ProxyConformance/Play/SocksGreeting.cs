using System.Text;
using Centaur.ProxyConformance.Data;

namespace Centaur.ProxyConformance.Play;

/// <summary>The client's side of SOCKS5 (RFC 1928).</summary>
static class SocksGreeting
{
    const int NoMethod = 255;

    /// <summary>What the proxy replies; 0 where the connection leads to the target from now on, and -1 where it ended.</summary>
    public static async Task<int> Say(Wire wire, ClientScript client, CancellationToken cancellationToken)
    {
        try
        {
            await wire.Send([5, (byte)client.SocksMethods.Count, .. client.SocksMethods], cancellationToken);
            if ((await wire.ReadExactly(2, cancellationToken))[1] != 0)
                return NoMethod;
            var port = client.Port > 0 ? client.Port : 443;
            byte[] request = client.SocksRequest is { } digits
                ? Convert.FromHexString(digits.Replace(" ", "", StringComparison.Ordinal))
                : [5, 1, 0, 3, (byte)client.Host.Length, .. Encoding.ASCII.GetBytes(client.Host), (byte)(port >> 8), (byte)port];
            await wire.Send(request, cancellationToken);
            return (await wire.ReadExactly(10, cancellationToken))[1];
        }
        catch (IOException)
        {
            return -1;
        }
    }
}
