using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Limits;

namespace Centaur.Proxy.Upstream;

/// <summary>
/// Connections to the outside, kept for two minutes at most so that an address is vetted again. One handler for the public internet, and one for each entry
/// of the map, whose trust is its own.
/// </summary>
sealed class UpstreamPool(Dialer dialer, ProxyLimits limits) : IDisposable
{
    static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    readonly HttpMessageInvoker general = new(Create(dialer, map: null, limits));
    readonly ConcurrentDictionary<Trust, Lazy<HttpMessageInvoker>> mapped = new();

    public HttpMessageInvoker For(UpstreamMap? map)
    {
        if (map is null)
            return general;
        var trust = Trust.Of(map);
        if (mapped.TryGetValue(trust, out var known))
            return known.Value;
        return mapped.GetOrAdd(trust, _ => new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(Create(dialer, map, limits)))).Value;
    }

    /// <summary>Forgets upstreams that a new policy no longer maps. What is in flight there ends by itself; idle connections age.</summary>
    public void Keep(IEnumerable<UpstreamMap> map)
    {
        var kept = map.Select(Trust.Of).ToHashSet();
        foreach (var trust in mapped.Keys.Where(trust => !kept.Contains(trust)))
            mapped.TryRemove(trust, out _);
    }

    public void Dispose()
    {
        general.Dispose();
        foreach (var invoker in mapped.Values)
            invoker.Value.Dispose();
    }

    static SocketsHttpHandler Create(Dialer dialer, UpstreamMap? map, ProxyLimits limits)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = ConnectionLifetime,
            ConnectTimeout = limits.DialTimeout + limits.DialTimeout,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var hop = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttp ? Hop.Http : Hop.Https;
                return new NetworkStream(await dialer.Dial(context.DnsEndPoint.Host.Trim('[', ']'), context.DnsEndPoint.Port, map, hop, cancellationToken), ownsSocket: true);
            },
        };
        handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = ChainPolicy(map?.CaCertificate) };
        return handler;
    }

    static X509ChainPolicy ChainPolicy(string? onlyAuthority)
    {
        // Downloads would go around the dialler.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (onlyAuthority is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.ImportFromPem(onlyAuthority);
        }

        return policy;
    }

    /// <summary>What makes two entries of the map share connections.</summary>
    readonly record struct Trust(string Host, int Port, string Address, int TargetPort, string? Authority, bool Plaintext)
    {
        public static Trust Of(UpstreamMap map) => new(map.Host, map.Port, map.Address, map.TargetPort, map.CaCertificate, map.Plaintext);
    }
}
