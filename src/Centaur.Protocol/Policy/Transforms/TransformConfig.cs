using System.Text.Json.Serialization;

namespace Centaur.Protocol.Policy.Transforms;

/// <summary>
/// What a proxy does to requests on their way out besides swapping placeholders, as an operator wrote it. Values are named, never held: the jail sees neither them nor what is made of them.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(InjectConfig), "inject")]
[JsonDerivedType(typeof(OAuthTokenConfig), "oauth_token")]
[JsonDerivedType(typeof(GcpAuthConfig), "gcp_auth")]
[JsonDerivedType(typeof(HmacSignConfig), "hmac_sign")]
[JsonDerivedType(typeof(HeaderAllowlistConfig), "header_allowlist")]
public abstract record TransformConfig
{
    /// <summary>Its place in the operator's file: names it to people, and what it mints in answers.</summary>
    public required string Name { get; init; }

    /// <summary>The requests that it is for.</summary>
    public IReadOnlyList<EgressRule> Rules { get; init; } = [];

    /// <summary>Of the transforms of one group only the first whose rules match works; null where each does.</summary>
    public string? Group { get; init; }

    /// <summary>The values that it needs; empty where it sends none.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<SourceUse> Uses { get; }

    /// <summary>What of it cannot work, each in a sentence that names the key. Says nothing of how rules are written.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var problem in OwnProblems())
            yield return problem;
        if (Uses.Count == 0)
            yield break;
        if (Rules.Count == 0)
            yield return "needs \"rules\": without them it is not said who may receive the credential";
        if (Rules.Any(rule => rule.Hosts.Contains("*")))
            yield return "the host \"*\" would send the credential to everybody; name the hosts";
    }

    private protected abstract IEnumerable<string> OwnProblems();
}
