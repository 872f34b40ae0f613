using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>Which models each harness may ask, best first, and which secret pays for each.</summary>
/// <param name="ByHarness">Each harness's models.</param>
/// <param name="DefaultHarness">The harness of a thread that names none; whether there is one of this name is checked where threads are made.</param>
public sealed record ModelOptions(IReadOnlyDictionary<string, IReadOnlyList<ModelEndpoint>> ByHarness, string DefaultHarness)
{
    /// <summary>The wire APIs that a harness may be told to speak.</summary>
    public static IReadOnlyList<string> Apis { get; } = ["responses", "chat_completions", "messages"];

    public static ModelOptions Read(Settings settings)
    {
        var section = settings.Root.Section("model");
        var byHarness = new Dictionary<string, IReadOnlyList<ModelEndpoint>>(StringComparer.Ordinal)
        {
            ["codex"] = ReadCandidates(
                section.Section("codex"),
                new ModelEndpoint("responses", new Uri("https://api.openai.com/v1"), null, "OPENAI_API_KEY")),
            ["built-in"] = ReadCandidates(
                section.Section("built-in"),
                new ModelEndpoint("messages", new Uri("https://api.anthropic.com/v1"), "claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
                new ModelEndpoint("chat_completions", new Uri("https://api.openai.com/v1"), "gpt-5.2", "OPENAI_API_KEY")),
        };
        return new ModelOptions(byHarness, settings.Root.Section("harness").Text("default", "codex"));
    }

    /// <summary>What a turn of the harness may ask, best first: the configured model alone, or each that is known without configuration.</summary>
    public IReadOnlyList<ModelEndpoint> Candidates(string harness) => ByHarness.GetValueOrDefault(harness) ?? [];

    static ModelEndpoint[] ReadCandidates(SettingsSection section, params ModelEndpoint[] standard)
    {
        var configured = ReadEndpoint(section, standard[0]);
        return section.IsGiven ? [configured] : standard;
    }

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
        return new ModelEndpoint(section.Choice("api", fallback.Api, Apis), url, section.OptionalText("model"), key == "none" ? null : key);
    }
}

/// <param name="Api">One of <see cref="ModelOptions.Apis"/>.</param>
/// <param name="BaseUrl">As the jail sees it.</param>
/// <param name="Model">The model's name; null is the harness's own default.</param>
/// <param name="Key">The name of the secret that is its key; null where it wants none.</param>
public sealed record ModelEndpoint(string Api, Uri BaseUrl, string? Model, string? Key)
{
    /// <summary>The exact address that stands for the model's host, where it is on this machine.</summary>
    public UpstreamMap? Local { get; init; }
}
