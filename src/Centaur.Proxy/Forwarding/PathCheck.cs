using System.Buffers;
using Centaur.Protocol.Policy;

namespace Centaur.Proxy.Forwarding;

/// <summary>Finds paths that two servers could read in two ways. What passes goes out byte for byte as the rules saw it.</summary>
static class PathCheck
{
    const int MaxDecodings = 3;

    static readonly SearchValues<char> Unreadable = SearchValues.Create("\\\0\r\n");

    /// <summary>What is ambiguous about the path, or null.</summary>
    public static string? Problem(string path)
    {
        if (path.AsSpan().ContainsAnyExceptInRange('!', '~'))
            return "it holds a space, a control character or a character beyond ASCII";
        if (path.Contains("//", StringComparison.Ordinal))
            return "it holds a double slash";
        if (BrokenEscape(path))
            return "it holds a broken percent escape";
        var text = path;
        for (var i = 0; i < MaxDecodings; i++)
        {
            if (text.AsSpan().ContainsAny(Unreadable))
                return "it holds a backslash or a control character, plain or encoded";
            foreach (var range in text.AsSpan().Split('/'))
            {
                var segment = text.AsSpan(range);
                var bare = segment.IndexOf(';') is var cut and >= 0 ? segment[..cut] : segment;
                if (bare is "." or "..")
                    return "it holds a dot segment, plain or encoded";
            }

            var decoded = PercentEncoding.DecodeOnce(text);
            if (ReferenceEquals(decoded, text) || decoded == text)
                return null;
            text = decoded;
        }

        return "it is encoded more than twice";
    }

    static bool BrokenEscape(string path)
    {
        for (var i = path.IndexOf('%'); i >= 0; i = path.IndexOf('%', i + 1))
        {
            if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2]))
                return true;
        }

        return false;
    }
}
