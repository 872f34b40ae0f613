namespace Centaur.Proxy.Policies;

/// <summary>An exact name, <c>*.example.com</c> (any depth below, and the name itself), or <c>*</c> (every name, no address).</summary>
readonly record struct HostPattern
{
    readonly string name;
    readonly PatternKind kind;

    HostPattern(string name, PatternKind kind) => (this.name, this.kind) = (name, kind);

    /// <summary><c>*</c>.</summary>
    public static HostPattern Everything { get; } = new("", PatternKind.Any);

    public static bool TryParse(string text, out HostPattern pattern)
    {
        pattern = default;
        if (text == "*")
        {
            pattern = Everything;
            return true;
        }

        var below = text.StartsWith("*.", StringComparison.Ordinal);
        if (!HostName.TryCanonical(below ? text[2..] : text, out var host, out var isAddress) || (below && isAddress))
            return false;
        pattern = new HostPattern(host, below ? PatternKind.Below : PatternKind.Exact);
        return true;
    }

    public bool Matches(string host, bool isAddress) => kind switch
    {
        PatternKind.Any => !isAddress,
        PatternKind.Below => !isAddress && host.EndsWith(name, StringComparison.Ordinal)
            && (host.Length == name.Length || host[host.Length - name.Length - 1] == '.'),
        _ => string.Equals(host, name, StringComparison.Ordinal),
    };

    enum PatternKind
    {
        Exact,
        Below,
        Any,
    }
}
