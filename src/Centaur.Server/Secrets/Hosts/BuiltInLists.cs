namespace Centaur.Server.Secrets.Hosts;

/// <summary>Lists of hosts that are known without being written down: models and code hosts. Which package index is trusted, an operator says himself.</summary>
internal static class BuiltInLists
{
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> All { get; } = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
    {
        ["anthropic"] = ["api.anthropic.com"],
        ["github"] = ["github.com", "api.github.com", "codeload.github.com", "objects.githubusercontent.com", "raw.githubusercontent.com", "release-assets.githubusercontent.com"],
        ["gitlab"] = ["gitlab.com"],
        ["openai"] = ["api.openai.com"],
    };
}
