using System.Text.RegularExpressions;

namespace Centaur.Protocol.Policy;

/// <summary>What a binding's words must look like: one that no request can have would bind a secret to nothing, silently.</summary>
public static partial class BindingForm
{
    const int LongestHost = 253;

    /// <summary>Why it names no host, or null where it does: a name in ASCII, or <c>*.</c> and a name of two labels at least.</summary>
    public static string? HostProblem(string host)
    {
        if (!IsHost(host))
            return $"\"{host}\" is not a host name: write it without scheme, port and path, for example api.example.com or *.example.com";
        return host.StartsWith("*.", StringComparison.Ordinal) && !host.AsSpan(2).Contains('.')
            ? $"\"{host}\" would send the secret to everybody below a top-level domain: name more of the host, for example *.example{host[1..]}"
            : null;
    }

    /// <summary>Whether it is a name or an IPv4 address in ASCII, or <c>*.</c> and a name.</summary>
    public static bool IsHost(string host) => host.Length <= LongestHost && HostName().IsMatch(host);

    /// <summary>Why it names no header, or null where it does; <c>/…/</c> is a regular expression over names.</summary>
    public static string? HeaderProblem(string header) =>
        HeaderName().IsMatch(header) || HeaderPattern().IsMatch(header) ? null : $"\"{header}\" is not the name of a header, such as Authorization or X-Api-Key";

    [GeneratedRegex(@"^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex HeaderName();

    [GeneratedRegex(@"^/[\x20-\x7e]+/\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex HeaderPattern();
}
