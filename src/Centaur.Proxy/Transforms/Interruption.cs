using Centaur.Proxy.Front;

namespace Centaur.Proxy.Transforms;

/// <summary>Why a request does not leave: it is refused, or answered here.</summary>
sealed record Interruption(Refusal? Refusal, TokenStub? Stub)
{
    /// <summary>For the audit.</summary>
    public string Cause => Refusal?.Code ?? "stubbed";
}
