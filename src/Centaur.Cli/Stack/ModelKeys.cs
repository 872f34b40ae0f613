namespace Centaur.Cli.Stack;

/// <summary>Which secrets let a harness reach a real model; any one of them will do.</summary>
internal static class ModelKeys
{
    public const string DefaultHarness = "codex";

    public static IReadOnlyList<string> AllNames { get; } =
        ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "AMP_API_KEY", "GITHUB_TOKEN", "GH_TOKEN"];

    public static IReadOnlyList<string> Of(string harness) => harness switch
    {
        "codex" => ["OPENAI_API_KEY"],
        "claude-code" => ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"],
        "amp" => ["AMP_API_KEY"],
        _ => ["ANTHROPIC_API_KEY"],
    };
}
