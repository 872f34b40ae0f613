namespace Centaur.Proxy.Policies;

/// <summary>
/// A path rule: <c>/v1/*</c> is <c>/v1</c> and everything below it; a star anywhere else stands for characters of one segment. Compared with the path
/// exactly as it goes out: what is percent-encoded there must be so here.
/// </summary>
readonly record struct PathPattern
{
    readonly string[] segments;
    readonly bool andBelow;

    PathPattern(string[] segments, bool andBelow) => (this.segments, this.andBelow) = (segments, andBelow);

    public static bool TryParse(string text, out PathPattern pattern)
    {
        pattern = default;
        if (!text.StartsWith('/'))
            return false;
        var isPrefix = text.EndsWith("/*", StringComparison.Ordinal);
        var rest = isPrefix ? text[..^2] : text;
        pattern = new PathPattern(rest.Length == 0 ? [] : rest[1..].Split('/'), isPrefix);
        return true;
    }

    public bool Matches(ReadOnlySpan<char> path)
    {
        if (segments.Length == 0)
            return andBelow || path is "/";
        var rest = path[1..];
        for (var i = 0; i < segments.Length; i++)
        {
            var slash = rest.IndexOf('/');
            if (!MatchesSegment(segments[i], slash < 0 ? rest : rest[..slash]))
                return false;
            if (i == segments.Length - 1)
                return slash < 0 || andBelow;
            if (slash < 0)
                return false;
            rest = rest[(slash + 1)..];
        }

        return false;
    }

    static bool MatchesSegment(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        var star = pattern.IndexOf('*');
        if (star < 0)
            return pattern.SequenceEqual(text);
        if (!text.StartsWith(pattern[..star]))
            return false;
        var tail = pattern[(star + 1)..];
        for (var i = star; i <= text.Length; i++)
        {
            if (MatchesSegment(tail, text[i..]))
                return true;
        }

        return false;
    }
}
