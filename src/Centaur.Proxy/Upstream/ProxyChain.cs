using System.Net;

namespace Centaur.Proxy.Upstream;

/// <summary>Other proxies that stand between this one and the internet.</summary>
/// <param name="Http">For HTTP without TLS.</param>
/// <param name="Https">For TLS.</param>
/// <param name="Except">What is dialled without them.</param>
sealed record ProxyChain(ChainedProxy? Http, ChainedProxy? Https, NoProxyList Except)
{
    public static ProxyChain None { get; } = new(null, null, NoProxyList.Empty);

    public ChainedProxy? For(Hop hop, string host, int port, IPAddress[] addresses)
    {
        var through = hop switch
        {
            Hop.Http => Http,
            Hop.Https => Https,
            _ => null,
        };
        return through is null || Except.Covers(host, port, addresses) ? null : through;
    }
}
