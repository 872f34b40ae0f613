namespace Centaur.Proxy.Policies;

/// <summary>One way out, compiled. An empty list is "any", except for ports: none named means 443 and 80.</summary>
sealed record RuleModel(string Name, HostPattern[] Hosts, int[] Ports, string[] Methods, PathPattern[] Paths)
{
    /// <summary>Whether what it covers may become a WebSocket.</summary>
    public bool WebSocket { get; init; }

    /// <summary>Whether what its answers say that they cost is recorded.</summary>
    public bool Metered { get; init; }

    public bool CoversHost(string host, bool isAddress) => HostPatterns.Any(Hosts, host, isAddress);

    public bool CoversPort(int port) => Ports.Length == 0 ? port is 443 or 80 : Ports.AsSpan().Contains(port);

    public bool CoversRoute(string method, string path) => Routes.Cover(Methods, Paths, method, path);
}

static class Routes
{
    public static bool Cover(string[] methods, PathPattern[] paths, string method, string path)
    {
        if (methods.Length > 0 && !methods.AsSpan().Contains(method))
            return false;
        if (paths.Length == 0)
            return true;
        foreach (var pattern in paths)
        {
            if (pattern.Matches(path))
                return true;
        }

        return false;
    }
}

static class HostPatterns
{
    public static bool Any(HostPattern[] patterns, string host, bool isAddress)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.Matches(host, isAddress))
                return true;
        }

        return false;
    }
}
