using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>One way of getting an access token: what it needs, and what it asks the token endpoint. Immutable.</summary>
interface ITokenGrant
{
    /// <summary>Names the token for people and in the search of answers: the place of its entry in the file.</summary>
    string Name { get; }

    /// <summary>What makes it another grant: a token is kept for the same one across reloads of the file. The values of its sources are not told by it.</summary>
    string Identity { get; }

    IReadOnlyList<SourceUse> Sources { get; }

    /// <param name="values">The values of <see cref="Sources"/> by role.</param>
    /// <param name="rotated">The refresh token that the endpoint gave last in place of the configured one (RFC 6749, section 6), or null.</param>
    /// <param name="now">For assertions that are valid for a time.</param>
    MintPlan Prepare(IReadOnlyDictionary<string, Secret> values, Secret? rotated, DateTimeOffset now);
}

/// <summary>What is sent to a token endpoint.</summary>
/// <param name="Endpoint">An https address.</param>
/// <param name="Form">The body, form-encoded; it holds credentials.</param>
/// <param name="Headers">Added headers; their values may be credentials.</param>
sealed record MintRequest(Uri Endpoint, byte[] Form, IReadOnlyList<KeyValuePair<string, Secret>> Headers)
{
    public override string ToString() => $"MintRequest({Endpoint.Host})";
}

/// <summary>The request, or why the values do not make one.</summary>
sealed record MintPlan(MintRequest? Request, string? Problem)
{
    public static MintPlan Failed(string problem) => new(null, problem);
}

/// <summary>What a token endpoint answered.</summary>
/// <param name="Token">The access token, or null.</param>
/// <param name="Lifetime">How long it is good for.</param>
/// <param name="Rotated">The refresh token to use from now on, or null where the one before stays.</param>
/// <param name="Problem">Why there is no token; holds no value.</param>
sealed record MintAnswer(Secret? Token, TimeSpan Lifetime, Secret? Rotated, string? Problem)
{
    public static MintAnswer Failed(string problem) => new(null, TimeSpan.Zero, null, problem);
}
