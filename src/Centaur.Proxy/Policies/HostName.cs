using System.Buffers;
using System.Globalization;
using System.Net;

namespace Centaur.Proxy.Policies;

/// <summary>
/// The one spelling of a host that rules, certificates, the audit and the dialler see: ASCII, lower case, no trailing dot, IDNA applied, and every way of
/// writing an IPv4 address (decimal, octal, short) turned into the address that it means.
/// </summary>
static class HostName
{
    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    public static bool TryCanonical(string text, out string host, out bool isAddress)
    {
        host = "";
        isAddress = false;
        if (text.Length is 0 or > 255)
            return false;
        if (text[0] == '[')
        {
            if (text[^1] != ']' || !IPAddress.TryParse(text[1..^1], out var six) || text.Contains('%'))
                return false;
            host = six.ToString();
            return isAddress = true;
        }

        var name = text.EndsWith('.') ? text[..^1] : text;
        if (!IsAscii(name) && !TryIdna(name, out name))
            return false;
        name = name.ToLowerInvariant();
        if (name.Length is 0 or > 253 || name.AsSpan().ContainsAnyExcept(Allowed))
            return false;
        if (LooksLikeAddress(name))
        {
            if (!IPAddress.TryParse(name, out var four))
                return false;
            host = four.ToString();
            return isAddress = true;
        }

        foreach (var label in name.AsSpan().Split('.'))
        {
            if (name.AsSpan(label).Length is 0 or > 63)
                return false;
        }

        host = name;
        return true;
    }

    /// <summary>Splits <c>host:port</c>, <c>[v6]:port</c> or a bare host.</summary>
    public static bool TryAuthority(string text, int defaultPort, out Authority authority)
    {
        authority = default;
        var port = defaultPort;
        var name = text;
        var colon = text.LastIndexOf(':');
        if (colon > 0 && text.IndexOf(']', colon) < 0 && (text[0] == '[' || text.IndexOf(':') == colon))
        {
            name = text[..colon];
            if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
                return false;
        }

        if (!TryCanonical(name, out var host, out var isAddress))
            return false;
        authority = new Authority(host, port, isAddress);
        return true;
    }

    static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);

    static bool TryIdna(string text, out string ascii)
    {
        try
        {
            ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(text);
            return true;
        }
        catch (ArgumentException)
        {
            ascii = "";
            return false;
        }
    }

    static bool LooksLikeAddress(string name)
    {
        var last = name.AsSpan(name.LastIndexOf('.') + 1);
        return last.Length > 0 && (!last.ContainsAnyExceptInRange('0', '9') || last.StartsWith("0x"));
    }
}

/// <summary>Host (canonical) and port.</summary>
readonly record struct Authority(string Host, int Port, bool IsAddress)
{
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
