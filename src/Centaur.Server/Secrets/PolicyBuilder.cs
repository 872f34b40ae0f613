using Centaur.Protocol.Policy;
using Centaur.Server.Secrets.Transforms;

namespace Centaur.Server.Secrets;

/// <summary>Whose policy it is, for the audit.</summary>
/// <param name="SandboxId">The sandbox.</param>
/// <param name="Version">Greater than the one before.</param>
/// <param name="ThreadKey">The thread.</param>
/// <param name="Turn">The turn.</param>
/// <param name="Principal">Who asked.</param>
public sealed record PolicySubject(string SandboxId, long Version, string ThreadKey, string? Turn, string? Principal);

/// <summary>Makes a proxy's policy from what is granted and what the operator allows; pure.</summary>
public static class PolicyBuilder
{
    /// <param name="subject">Whose policy it is.</param>
    /// <param name="secrets">What the sandbox may use by their placeholders, which each must have.</param>
    /// <param name="placeholders">What stands for each, by name.</param>
    /// <param name="model">The model that the harness asks; its host is allowed, and its key may go there.</param>
    /// <param name="egress">The operator's lists.</param>
    /// <param name="databases">What the sandbox may log in to.</param>
    public static ProxyPolicy Build(
        PolicySubject subject, IReadOnlyList<SecretModel> secrets, IReadOnlyDictionary<string, string> placeholders, ModelEndpoint model, EgressOptions egress,
        DatabaseAccess? databases = null)
    {
        var grants = secrets.Select(s => new SecretGrant(s.Name, placeholders[s.Name], [.. Bindings(s, model).SelectMany(binding => LookedInto(binding, egress))])).ToList();
        return new ProxyPolicy
        {
            Version = subject.Version,
            SandboxId = subject.SandboxId,
            ThreadKey = subject.ThreadKey,
            Turn = subject.Turn,
            Principal = subject.Principal,
            Open = egress.Open,
            Allow =
            [
                ModelRule(model),
                .. grants.SelectMany(g => g.Bindings.Select(b => Rule(g.Name, b))),
                .. egress.Transforms.SelectMany(TransformRules.Of),
                .. egress.Map.Select(m => new EgressRule($"map:{m.Host}:{m.Port}", [m.Host]) { Ports = [m.Port] }),
                .. egress.Allow,
            ],
            Passthrough = egress.Passthrough,
            Secrets = grants,
            Transforms = egress.Transforms,
            Databases = databases,
            Map = model.Local is { } local ? [local, .. Granted(egress, secrets)] : [.. Granted(egress, secrets)],
        };
    }

    /// <summary>An entry may name a secret that is not set any more: it is sent there no longer, and the turns that never needed it go on.</summary>
    static IEnumerable<UpstreamMap> Granted(EgressOptions egress, IReadOnlyList<SecretModel> secrets)
    {
        var names = secrets.Select(secret => secret.Name).Concat(egress.Transforms.SelectMany(transform => transform.Uses).Where(use => use.Confidential).Select(use => use.Name)).ToHashSet(StringComparer.Ordinal);
        return egress.Map.Select(entry => entry with { Secrets = [.. entry.Secrets.Where(names.Contains)] });
    }

    /// <summary>The binding without the hosts that are passed through: nothing is swapped where nobody looks.</summary>
    static IEnumerable<SecretBinding> LookedInto(SecretBinding binding, EgressOptions egress)
    {
        var hosts = binding.Hosts.Where(host => !egress.PassesThrough(host)).ToList();
        return hosts.Count == 0 ? [] : [binding with { Hosts = hosts }];
    }

    static EgressRule ModelRule(ModelEndpoint model) => new("model", [model.BaseUrl.IdnHost.ToLowerInvariant()]) { Ports = [model.BaseUrl.Port], Metered = true };

    static EgressRule Rule(string name, SecretBinding binding) => new($"secret:{name}", binding.Hosts) { Methods = binding.Methods, Paths = binding.Paths };

    /// <summary>The operator's <c>model</c> section names an address and a key in one breath: that is a binding.</summary>
    static IReadOnlyList<SecretBinding> Bindings(SecretModel secret, ModelEndpoint model)
    {
        var host = model.BaseUrl.IdnHost.ToLowerInvariant();
        return secret.Name != model.Key || secret.Bindings.Any(b => b.Hosts.Contains(host))
            ? secret.Bindings
            : [.. secret.Bindings, new SecretBinding([host]) { Headers = ["Authorization", "x-api-key"] }];
    }
}
