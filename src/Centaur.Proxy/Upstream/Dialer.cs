using System.Net;
using System.Net.Sockets;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Front;
using Centaur.Proxy.Limits;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// The only code here that opens a connection to the outside.
/// <para>1. A mapped name is dialled at the operator's exact address.</para>
/// <para>2. Any other name is resolved once, and every address of the answer is vetted: one that may not be reached spoils the whole answer.</para>
/// <para>3. A vetted address is dialled, never the name again. Where the operator chained another proxy, that one is told the address.</para>
/// <para>4. Nothing leads back to a listener of this program.</para>
/// </summary>
sealed class Dialer(ProxyLimits limits, DialRules rules, ProxyChain chain, OwnListeners own)
{
    public async Task<Socket> Dial(string host, int port, UpstreamMap? map, Hop hop, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limits.DialTimeout);
        try
        {
            // 1.
            if (map is not null)
                return await Connect(IPAddress.Parse(map.Address), map.TargetPort, host, patience.Token);

            // 2.
            var addresses = await Resolve(host, patience.Token);
            if (addresses.Length == 0)
                throw new UpstreamFault(RefusalCodes.NameNotResolved, $"{host} has no address.");
            foreach (var address in addresses)
            {
                if (!rules.Allow(host, address))
                    throw new UpstreamFault(RefusalCodes.AddressProhibited, $"{host} resolves to an address that is not public, or that the operator denied.");
            }

            // 3.
            return chain.For(hop, host, port, addresses) is { } through
                ? await FirstOf(addresses, address => ConnectThrough(through, address, port, host, patience.Token))
                : await FirstOf(addresses, address => Connect(address, port, host, patience.Token));
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamFault(RefusalCodes.ConnectTimedOut, $"{host} did not answer within {limits.DialTimeout.TotalSeconds:0} seconds.", late);
        }
    }

    async Task<Socket> ConnectThrough(ChainedProxy proxy, IPAddress address, int port, string host, CancellationToken cancellationToken)
    {
        if (own.Include(address, port))
            throw Itself(host);
        // The operator named the proxy, as exactly as an entry of the map.
        var places = await Resolve(proxy.Host, cancellationToken);
        if (places.Length == 0)
            throw new UpstreamFault(RefusalCodes.NameNotResolved, $"The proxy on the way to {host} has no address.");
        var socket = await FirstOf(places, place => Connect(place, proxy.Port, "The proxy on the way to " + host, cancellationToken));
        try
        {
            await proxy.Open(socket, new IPEndPoint(address, port), host, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
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

    static async Task<Socket> FirstOf(IPAddress[] addresses, Func<IPAddress, Task<Socket>> connect)
    {
        UpstreamFault? last = null;
        foreach (var address in addresses)
        {
            try
            {
                return await connect(address);
            }
            catch (UpstreamFault fault)
            {
                last = fault;
            }
        }

        throw last!;
    }

    async Task<Socket> Connect(IPAddress address, int port, string host, CancellationToken cancellationToken)
    {
        // 4.
        if (own.Include(address, port))
            throw Itself(host);
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

    static UpstreamFault Itself(string host) => new(RefusalCodes.AddressProhibited, $"{host} leads back to this proxy.");
}
