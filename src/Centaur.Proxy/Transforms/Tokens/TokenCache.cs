using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>The tokens of all grants. One lives on where a new policy has the same grant: its endpoint may have handed out a refresh token that no file knows.</summary>
sealed class TokenCache
{
    readonly SecretVault vault;
    readonly UpstreamPool upstreams;
    readonly TimeProvider time;
    readonly ConcurrentDictionary<string, TokenState> states;
    readonly TokenEndpoint endpoint;

    public TokenCache(SecretVault vault, UpstreamPool upstreams, TimeProvider time)
        : this(vault, upstreams, time, new ConcurrentDictionary<string, TokenState>(StringComparer.Ordinal))
    {
    }

    TokenCache(SecretVault vault, UpstreamPool upstreams, TimeProvider time, ConcurrentDictionary<string, TokenState> states)
    {
        (this.vault, this.upstreams, this.time, this.states) = (vault, upstreams, time, states);
        endpoint = new TokenEndpoint(upstreams, vault, time);
    }

    /// <summary>The same tokens, over other values.</summary>
    public TokenCache Over(SecretVault values) => new(values, upstreams, time, states);

    /// <returns>The token, or why there is none.</returns>
    public async ValueTask<(Secret? Token, Refusal? Refusal)> Get(ITokenGrant grant, PolicyModel policy, CancellationToken cancellationToken)
    {
        var (values, unavailable) = await SourceValues.Fetch(vault, policy, grant.Sources, cancellationToken);
        if (values is null)
            return (null, unavailable);
        var state = states.GetOrAdd(grant.Identity, _ => new TokenState(time));
        var answer = await state.Get(Fingerprint(values), rotated => Mint(grant, policy, values, rotated), cancellationToken);
        return answer.Token is { } token ? (token, null) : (null, TransformRefusals.Token(grant.Name, answer.Problem ?? "no reason given"));
    }

    async Task<MintAnswer> Mint(ITokenGrant grant, PolicyModel policy, Dictionary<string, Secret> values, Secret? rotated)
    {
        var plan = grant.Prepare(values, rotated, time.GetUtcNow());
        if (plan.Request is not { } request)
            return MintAnswer.Failed(plan.Problem ?? "no reason given");
        var confidential = grant.Sources.Where(source => source.Confidential).Select(source => source.Name);
        return policy.NotMapped(request.Endpoint.IdnHost, request.Endpoint.Port, confidential) is { } name
            ? MintAnswer.Failed($"{request.Endpoint.IdnHost} is mapped to an address, and its entry does not name secret \"{name}\"")
            : await endpoint.Mint(grant.Name, request, policy.MapFor(request.Endpoint.IdnHost, request.Endpoint.Port));
    }

    /// <summary>Tells one set of values from another without keeping it.</summary>
    static string Fingerprint(Dictionary<string, Secret> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var (role, value) in values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(role));
            BitConverter.TryWriteBytes(length, value.Bytes.Length);
            hash.AppendData(length);
            hash.AppendData(value.Bytes);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
