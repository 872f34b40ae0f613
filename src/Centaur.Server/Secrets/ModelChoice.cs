using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Secrets;

/// <summary>Decides which model a turn asks: the configured one, or the first whose key is set, or, where the caller allows it and no key is set, the demo model.</summary>
public sealed class ModelChoice(ModelOptions options, SecretStore secrets, HostIdentity host)
{
    /// <summary>The name by which jails know the demo model; nothing resolves it but the map of the policy.</summary>
    public const string DemoHost = "demo-model.centaur.internal";

    /// <param name="harness">The harness that asks.</param>
    /// <param name="demoAllowed">True for turns of <c>centaur ask</c>.</param>
    /// <param name="cancellationToken">Cancels the look-ups.</param>
    public async Task<ModelEndpoint> Choose(string harness, bool demoAllowed, CancellationToken cancellationToken)
    {
        var candidates = options.Candidates(harness);
        foreach (var candidate in candidates)
        {
            if (candidate.Key is not { } key || (await secrets.Find([key], cancellationToken)).Count > 0)
                return candidate;
        }
        return demoAllowed && await Demo(candidates[0], cancellationToken) is { } demo ? demo : candidates[0];
    }

    /// <summary>Why a turn cannot run whose model's key is not set, and what a person can do about it.</summary>
    public static string Refusal(string harness, string key, bool demoAllowed) =>
        (demoAllowed ? "The demo model was asked for and does not run here; centaur ask starts it. " : "")
        + $"The secret {key} is not set, and {harness} needs it for its model. Set it with: centaur secrets set {key}";

    async Task<ModelEndpoint?> Demo(ModelEndpoint wanted, CancellationToken cancellationToken)
    {
        if (!File.Exists(host.Layout.DemoModelFile))
            return null;
        var demo = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(host.Layout.DemoModelFile, cancellationToken), ProtocolJson.Default.DemoModelState)!;
        if (!demo.Process.IsAlive())
            return null;
        var address = new Uri(demo.BaseUrl);
        return wanted with
        {
            BaseUrl = new Uri($"https://{DemoHost}/v1"),
            Model = wanted.Model ?? "demo",
            Key = null,
            Local = new UpstreamMap(DemoHost, 443, address.Host, address.Port) { Plaintext = true },
        };
    }
}
