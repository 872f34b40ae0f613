using Centaur.Proxy.Front;
using Centaur.Proxy.Transforms.Tokens;

namespace Centaur.Proxy.Transforms;

/// <summary>Puts a minted access token into a header. Without one the request does not leave.</summary>
/// <param name="grant">Where the token comes from.</param>
/// <param name="header">The header that it goes into; whatever the client sent there is dropped.</param>
/// <param name="prefix">What stands before it, <c>Bearer </c> for example.</param>
sealed class TokenTransform(ITokenGrant grant, string header, string prefix) : IRequestTransform
{
    public TransformStage Stage => TransformStage.Set;

    public IReadOnlyList<string> Secrets { get; } = [.. grant.Sources.Where(source => source.Confidential).Select(source => source.Name).Distinct()];

    public async ValueTask<Refusal?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        var (token, refusal) = await runtime.Tokens.Get(grant, request.Policy, cancellationToken);
        if (token is null)
            return refusal;
        request.SetHeader(header, prefix + token.ForHeader());
        return null;
    }
}
