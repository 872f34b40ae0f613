using Centaur.Proxy.Front;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// Changes a request after policy and placeholders have been judged and before it leaves. Immutable: what lives (values, tokens, the clock) comes with the call.
/// </summary>
interface IRequestTransform
{
    TransformStage Stage { get; }

    /// <summary>Names of the secrets that the request carries afterwards, as such or inside of a token or signature. Empty where it carries none.</summary>
    IReadOnlyList<string> Secrets { get; }

    /// <returns>Null where the request may go on; else why it does not leave.</returns>
    ValueTask<Refusal?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken);
}

/// <summary>When a transform works. Within a stage the order is the file's.</summary>
enum TransformStage
{
    /// <summary>Takes away what the client sent.</summary>
    Strip,

    /// <summary>Puts credentials in.</summary>
    Set,

    /// <summary>Signs what has become of the request.</summary>
    Sign,
}
