using System.Net;

namespace Centaur.Proxy.Configuration;

/// <summary>Where the program listens; null is not at all.</summary>
sealed record ListenConfig
{
    /// <summary>CONNECT, SOCKS5 and requests in absolute form.</summary>
    public IPEndPoint? Tunnel { get; init; }

    /// <summary>HTTP of clients that were led here.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>TLS of clients that were led here.</summary>
    public IPEndPoint? Https { get; init; }

    /// <summary>Says whether the program lives.</summary>
    public IPEndPoint? Metrics { get; init; }

    /// <summary>Takes commands.</summary>
    public IPEndPoint? Management { get; init; }

    /// <summary>Reads <c>address:port</c>, or <c>:port</c> for every address.</summary>
    public static IPEndPoint? Read(YamlMap map, string key)
    {
        if (map.Text(key) is not { Length: > 0 } text)
            return null;
        if (TryParse(text, out var endpoint))
            return endpoint;
        map.Error($"{key} must be address:port or :port, not \"{text}\"");
        return null;
    }

    /// <summary>Parses <c>address:port</c>; a name is taken only where it is localhost.</summary>
    public static bool TryParse(string text, out IPEndPoint endpoint)
    {
        var full = text.StartsWith(':') ? "[::]" + text : text.Replace("localhost:", "127.0.0.1:", StringComparison.OrdinalIgnoreCase);
        endpoint = null!;
        return full.LastIndexOf(':') > full.LastIndexOf(']') && full.Contains(':') && IPEndPoint.TryParse(full, out endpoint!);
    }
}
