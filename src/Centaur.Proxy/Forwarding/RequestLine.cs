using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// Where a request goes, in the one reading that everything here uses: rules, record, and the bytes that leave.
/// </summary>
/// <param name="Secure">Whether the client spoke TLS.</param>
/// <param name="Target">Host and port.</param>
/// <param name="Path">As it came, percent-encoded; never ambiguous.</param>
/// <param name="Query">With its question mark, or empty.</param>
sealed record RequestLine(bool Secure, Authority Target, string Path, string Query)
{
    /// <summary>Reads the target of a request; says what is wrong with it otherwise.</summary>
    public static Refusal? TryRead(string rawTarget, string hostHeader, Tunnel? tunnel, out RequestLine line)
    {
        line = null!;
        var secure = tunnel?.Secure ?? false;
        string authority, rest;
        if (rawTarget.StartsWith('/'))
        {
            if (tunnel is null)
                return Refusals.Bad("a proxy needs CONNECT or a target in absolute form");
            (authority, rest) = (hostHeader, rawTarget);
        }
        else if (rawTarget.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !secure)
        {
            var slash = rawTarget.AsSpan(7).IndexOfAny('/', '?');
            (authority, rest) = slash < 0 ? (rawTarget[7..], "/") : (rawTarget.Substring(7, slash), rawTarget[(7 + slash)..]);
            if (authority.Contains('@'))
                return Refusals.Bad("user and password do not belong into a URL");
        }
        else
        {
            return Refusals.Bad(rawTarget.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
                ? "for https the proxy needs CONNECT"
                : "the target is neither a path nor an http:// address");
        }

        if (!HostName.TryAuthority(authority, secure ? 443 : 80, out var target))
            return Refusals.Bad("the host is not a valid name");
        if (!HostName.TryAuthority(hostHeader, secure ? 443 : 80, out var named) || named != target)
            return Refusals.Mismatch(Printable(hostHeader), target);
        if (tunnel is not null && !tunnel.LeadsTo(target))
            return Refusals.Mismatch(target.ToString(), tunnel.Target!.Value);

        if (rest.StartsWith('?'))
            rest = "/" + rest;
        var question = rest.IndexOf('?');
        var path = question < 0 ? rest : rest[..question];
        var query = question < 0 ? "" : rest[question..];
        if (PathCheck.Problem(path) is { } ambiguity)
            return Refusals.Ambiguous(ambiguity);
        if (query.AsSpan().ContainsAnyExceptInRange('!', '~') || query.Contains('#'))
            return Refusals.Bad("the query holds a character that must be encoded");
        line = new RequestLine(secure, target, path, query);
        return null;
    }

    static string Printable(string text) => text.Length <= 100 && HostName.TryAuthority(text, 443, out var known) ? known.ToString() : "another host";
}
