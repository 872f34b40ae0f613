using System.Text.RegularExpressions;

namespace Centaur.Proxy.Policies;

/// <summary>A granted secret: its name at the source, the placeholder that stands for it, and where that is swapped.</summary>
sealed record SecretModel(string Name, string Placeholder, BindingModel[] Bindings);

/// <summary>The places of one binding, compiled.</summary>
sealed record BindingModel(
    HostPattern[] Hosts, string[] Methods, PathPattern[] Paths, string[] Headers, Regex[] HeaderExpressions, bool AnyHeader, string[] Query, bool InPath, bool InBody)
{
    public bool CoversHost(string host, bool isAddress) => HostPatterns.Any(Hosts, host, isAddress);

    public bool CoversRoute(string method, string path) => Routes.Cover(Methods, Paths, method, path);

    public bool CoversHeader(string name)
    {
        if (AnyHeader)
            return true;
        foreach (var header in Headers)
        {
            if (string.Equals(header, name, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        foreach (var expression in HeaderExpressions)
        {
            if (expression.IsMatch(name))
                return true;
        }

        return false;
    }

    public bool CoversQuery(string name) => Query.AsSpan().Contains(name) || Query.AsSpan().Contains("*");
}
