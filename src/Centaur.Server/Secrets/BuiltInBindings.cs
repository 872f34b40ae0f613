using Centaur.Protocol.Policy;

namespace Centaur.Server.Secrets;

/// <summary>Where the well-known keys go (contract §5, infra secrets), for those who set one and say no more.</summary>
internal static class BuiltInBindings
{
    static readonly Dictionary<string, IReadOnlyList<SecretBinding>> Known = new(StringComparer.Ordinal)
    {
        ["ANTHROPIC_API_KEY"] = [new(["api.anthropic.com"]) { Headers = ["x-api-key", "Authorization"] }],
        ["OPENAI_API_KEY"] = [new(["api.openai.com"]) { Headers = ["Authorization"] }],
        ["XAI_API_KEY"] = [new(["api.x.ai"]) { Headers = ["Authorization"] }],
        ["GEMINI_API_KEY"] = [new(["generativelanguage.googleapis.com"]) { Headers = ["x-goog-api-key", "Authorization"], Query = ["key"] }],
        ["AMP_API_KEY"] = [new(["ampcode.com"]) { Headers = ["Authorization"] }],
        ["GITHUB_TOKEN"] = [new(["github.com", "api.github.com"]) { Headers = ["Authorization"] }],
        ["SLACK_BOT_TOKEN"] = [new(["*.slack.com"]) { Headers = ["Authorization"] }],
    };

    public static IReadOnlyCollection<string> Names => Known.Keys;

    public static IReadOnlyList<SecretBinding>? For(string name) => Known.GetValueOrDefault(name);
}
