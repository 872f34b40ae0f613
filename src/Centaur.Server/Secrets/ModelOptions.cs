using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>Which model each harness asks, and which secret pays for it.</summary>
public sealed record ModelOptions(IReadOnlyDictionary<string, IReadOnlyList<ModelEndpoint>> ByHarness)
{
    /// <summary>The wire APIs that a harness may be told to speak.</summary>
    public static IReadOnlyList<string> Apis { get; } = ["responses", "chat_completions", "messages"];

    public static ModelOptions Read(Settings settings)
    {
        var section = settings.Root.Section("model");
        var codex = new ModelEndpoint("responses", OpenAi, null, "OPENAI_API_KEY");
        var anthropic = new ModelEndpoint("messages", new Uri("https://api.anthropic.com/v1"), "claude-sonnet-4-5", "ANTHROPIC_API_KEY");
        var builtIn = ReadEndpoint(section.Section("built-in"), anthropic);
        return new ModelOptions(new Dictionary<string, IReadOnlyList<ModelEndpoint>>(StringComparer.Ordinal)
        {
            ["codex"] = [ReadEndpoint(section.Section("codex"), codex)],
            ["built-in"] = builtIn == anthropic ? [anthropic, new ModelEndpoint("chat_completions", OpenAi, "gpt-5.2", "OPENAI_API_KEY")] : [builtIn],
        });
    }

    /// <summary>What a harness may ask, in order of preference; more than one only where the operator has named none.</summary>
    public IReadOnlyList<ModelEndpoint> Candidates(string harness) => ByHarness[harness];

    static Uri OpenAi => new("https://api.openai.com/v1");

    static ModelEndpoint ReadEndpoint(SettingsSection section, ModelEndpoint fallback)
    {
        var text = section.Text("base_url", fallback.BaseUrl.ToString().TrimEnd('/'));
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Query.Length > 0 || url.UserInfo.Length > 0)
        {
            section.Report("base_url", $"\"{text}\" must be an http or https address without user, password or query");
            url = fallback.BaseUrl;
        }

        var key = section.Text("key", fallback.Key!);
        if (key != "none" && !SecretModel.IsName(key))
            section.Report("key", $"\"{key}\" must be the name of a secret, or none");
        return new ModelEndpoint(section.Choice("api", fallback.Api, Apis), url, section.OptionalText("model") ?? fallback.Model, key == "none" ? null : key);
    }
}

/// <param name="Api">One of <see cref="ModelOptions.Apis"/>.</param>
/// <param name="BaseUrl">As the jail sees it.</param>
/// <param name="Model">The model's name; null is the harness's own default.</param>
/// <param name="Key">The name of the secret that is its key; null where it wants none.</param>
public sealed record ModelEndpoint(string Api, Uri BaseUrl, string? Model, string? Key)
{
    /// <summary>The exact address behind <see cref="BaseUrl"/> where it is a model of this machine.</summary>
    public UpstreamMap? Local { get; init; }
}
