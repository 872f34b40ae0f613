namespace Centaur.Cli.Stack;

/// <summary>Keys of models and tools that people have in their shells; they are the broker's and nobody else's.</summary>
internal static class ModelKeys
{
    public static IReadOnlyList<string> AllNames { get; } = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "AMP_API_KEY", "GITHUB_TOKEN", "GH_TOKEN"];
}
