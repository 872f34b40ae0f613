using System.Net;
using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Front;
using Centaur.Proxy.Limits;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// The only code here that opens a connection to the outside.
/// <para>1. A mapped name is dialled at the operator's exact address.</para>
/// <para>2. Any other name is resolved once, and every address of the answer is vetted: one that is not public spoils the whole answer.</para>
/// <para>3. A vetted address is dialled, never the name again.</para>
/// </summary>
sealed class Dialer(ProxyLimits limits)
{
    public async Task<Socket> Dial(string host, int port, UpstreamMap? map, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limits.DialTimeout);
        try
        {
            if (map is not null)
                return await Connect(IPAddress.Parse(map.Address), map.TargetPort, host, patience.Token);
            var addresses = await Resolve(host, patience.Token);
            if (addresses.Length == 0)
                throw new UpstreamFault(RefusalCodes.NameNotResolved, $"{host} has no address.");
            foreach (var address in addresses)
            {
                if (!AddressGuard.IsPublic(address))
                    throw new UpstreamFault(RefusalCodes.AddressProhibited, $"{host} resolves to an address that is not public.");
            }

            return await ConnectToAny(addresses, port, host, patience.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamFault(RefusalCodes.ConnectTimedOut, $"{host} did not answer within {limits.DialTimeout.TotalSeconds:0} seconds.", late);
        }
    }

    static async Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException fault)
        {
            throw new UpstreamFault(RefusalCodes.NameNotResolved, $"The name {host} does not resolve.", fault);
        }
    }

    static async Task<Socket> ConnectToAny(IPAddress[] addresses, int port, string host, CancellationToken cancellationToken)
    {
        UpstreamFault? last = null;
        foreach (var address in addresses)
        {
            try
            {
                return await Connect(address, port, host, cancellationToken);
            }
            catch (UpstreamFault fault)
            {
                last = fault;
            }
        }

        throw last!;
    }

    static async Task<Socket> Connect(IPAddress address, int port, string host, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return socket;
        }
        catch (SocketException fault)
        {
            socket.Dispose();
            throw new UpstreamFault(RefusalCodes.ConnectFailed, $"{host}:{port} does not accept connections.", fault);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
