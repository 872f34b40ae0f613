using System.Net;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Configuration;

/// <summary>Reads what <c>proxy</c> says of upstreams: which addresses are dialled, and by which way.</summary>
static class UpstreamReader
{
    public static DialRules ReadRules(YamlMap proxy) => new(
        [.. proxy.Texts("upstream_deny_cidrs").Select(text => Network(proxy, "upstream_deny_cidrs", text)).OfType<IPNetwork>()],
        ReadExceptions(proxy));

    public static ProxyChain ReadChain(YamlMap proxy)
    {
        if (proxy.Map("upstream_proxy") is not { } section)
            return ProxyChain.None;
        var chain = new ProxyChain(Address(section, "http_proxy"), Address(section, "https_proxy"), NoProxyList.Parse(section.Text("no_proxy") ?? "", out var wrong));
        foreach (var entry in wrong)
            section.Error($"no_proxy: \"{entry}\" is not a host, an address or a network");
        section.Done();
        return chain;
    }

    static Dictionary<string, IPAddress[]> ReadExceptions(YamlMap proxy)
    {
        var exceptions = new Dictionary<string, IPAddress[]>(StringComparer.Ordinal);
        if (proxy.Map("upstream_private_exceptions") is not { } section)
            return exceptions;
        foreach (var name in section.Keys)
        {
            if (!HostName.TryCanonical(name, out var host, out var isAddress) || isAddress)
                section.Error($"\"{name}\" is not an exact name: neither patterns nor addresses can be excepted");
            var addresses = section.Texts(name).Select(text => Exception(section, name, text)).OfType<IPAddress>().ToArray();
            if (addresses.Length == 0 && !section.Has(name))
                section.Error($"\"{name}\" needs a list of addresses");
            if (host.Length > 0 && !exceptions.TryAdd(host, addresses))
                section.Error($"\"{name}\" is named twice");
        }

        section.Done();
        return exceptions;
    }

    /// <summary>One address, alone or as a network of one.</summary>
    static IPAddress? Exception(YamlMap section, string name, string text)
    {
        var single = text.Contains('/') ? text : text + (text.Contains(':') ? "/128" : "/32");
        if (!IPNetwork.TryParse(single, out var network) || network.PrefixLength != (text.Contains(':') ? 128 : 32))
            section.Error($"{name}: \"{text}\" is not one address (/32 or /128)");
        else if (AddressGuard.IsNever(network.BaseAddress))
            section.Error($"{name}: {text} is never dialled: loopback, link-local and metadata addresses take no exception");
        else
            return AddressGuard.Meant(network.BaseAddress);
        return null;
    }

    static IPNetwork? Network(YamlMap proxy, string key, string text)
    {
        var full = text.Contains('/') ? text : text + (text.Contains(':') ? "/128" : "/32");
        if (IPNetwork.TryParse(full, out var network))
            return network;
        proxy.Error($"{key}: \"{text}\" is not a network such as 192.0.2.0/24");
        return null;
    }

    /// <summary>What is wrong is said without the address, which may hold a password.</summary>
    static ChainedProxy? Address(YamlMap section, string key)
    {
        if (section.Text(key) is not { Length: > 0 } text)
            return null;
        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var address) || address.Host.Length == 0)
            section.Error($"{key} is not an address such as http://proxy.internal:3128");
        else if (address.Scheme != Uri.UriSchemeHttp)
            section.Error($"{key}: only http:// is supported on the way to the chained proxy; what passes through it is TLS all the same");
        else
            return ChainedProxy.Of(address);
        return null;
    }
}
