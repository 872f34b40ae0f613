namespace Centaur.Server.Secrets.Hosts;

/// <summary>Lists of hosts that are known without being written down: what the usual tools ask to read, and no more.</summary>
internal static class BuiltInLists
{
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> All { get; } = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
    {
        ["anthropic"] = ["api.anthropic.com"],
        ["crates"] = ["index.crates.io", "static.crates.io"],
        ["debian"] = ["deb.debian.org", "security.debian.org"],
        ["github"] = ["github.com", "api.github.com", "codeload.github.com", "objects.githubusercontent.com", "raw.githubusercontent.com", "release-assets.githubusercontent.com"],
        ["gitlab"] = ["gitlab.com"],
        ["go"] = ["proxy.golang.org", "sum.golang.org"],
        ["maven"] = ["repo.maven.apache.org", "repo1.maven.org"],
        ["npm"] = ["registry.npmjs.org"],
        ["nuget"] = ["api.nuget.org"],
        ["openai"] = ["api.openai.com"],
        ["pypi"] = ["pypi.org", "files.pythonhosted.org"],
        ["rubygems"] = ["rubygems.org", "index.rubygems.org"],
        ["ubuntu"] = ["archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com"],
    };
}
