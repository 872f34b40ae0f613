using System.Collections.Frozen;
using Centaur.Protocol.Policy.Transforms;
using Microsoft.Extensions.Primitives;

namespace Centaur.Proxy.Forwarding;

/// <summary>Which headers end at this hop.</summary>
static class HeaderRules
{
    static readonly FrozenSet<string> ResponseHopByHop = new[]
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Trailer", "Upgrade", "Alt-Svc",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>True for what this hop consumes or what only a proxy could truthfully say.</summary>
    public static bool StaysHere(string name, StringValues connection) =>
        TransformForm.EndsAtProxy(name) || Names(connection, name);

    public static bool StaysThere(string name, StringValues connection) =>
        ResponseHopByHop.Contains(name)
        || name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("X-Centaur-", StringComparison.OrdinalIgnoreCase)
        || Names(connection, name);

    static bool Names(StringValues connection, string name)
    {
        if (connection.Count == 0)
            return false;
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan(range).Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }
}
