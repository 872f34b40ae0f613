using Centaur.Proxy.Limits;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Configuration;

/// <summary>Reads the section <c>proxy</c>.</summary>
static class ProxyReader
{
    // As iron-proxy's proxy.max_request_body_bytes; here it concerns bodies that a transform must hold whole, and no others.
    const long DefaultLargestBody = 1 << 20;

    static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(30);

    public static ProxySection Read(YamlMap root)
    {
        if (root.Map("proxy") is not { } proxy)
        {
            root.Error("\"proxy\" with \"tunnel_listen\", \"http_listen\" or \"https_listen\" is needed");
            return new ProxySection(new ListenConfig(), DefaultLargestBody, new ProxyLimits(), DialRules.Public, ProxyChain.None);
        }

        var listen = new ListenConfig
        {
            Tunnel = ListenConfig.Read(proxy, "tunnel_listen"),
            Http = ListenConfig.Read(proxy, "http_listen"),
            Https = ListenConfig.Read(proxy, "https_listen"),
        };
        if (!proxy.Has("tunnel_listen") && !proxy.Has("http_listen") && !proxy.Has("https_listen"))
            proxy.Error("needs \"tunnel_listen\", \"http_listen\" or \"https_listen\"");
        var largestBody = proxy.Size("max_request_body_bytes") ?? DefaultLargestBody;
        if (largestBody <= 0)
            proxy.Error("max_request_body_bytes must be larger than 0");
        var largestAnswer = proxy.Size("max_response_body_bytes") ?? 0;
        var patience = proxy.Duration("upstream_response_header_timeout") ?? DefaultPatience;
        var limits = new ProxyLimits
        {
            LargestAnswer = largestAnswer == 0 ? null : largestAnswer,
            AnswerTimeout = patience == TimeSpan.Zero ? null : patience,
        };
        var section = new ProxySection(listen, largestBody, limits, UpstreamReader.ReadRules(proxy), UpstreamReader.ReadChain(proxy));
        proxy.NotNeeded("proxy_status_name", "refusals carry X-Centaur-Denied");
        proxy.NotNeeded("proxy_status_verbose", "refusals carry X-Centaur-Denied");
        proxy.Done();
        return section;
    }
}
