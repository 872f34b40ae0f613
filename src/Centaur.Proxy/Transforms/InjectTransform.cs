using System.Text;
using Centaur.Protocol.Policy.Templates;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Front;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// Puts a secret into one header or one query parameter. What the client sent there is dropped first, so that its own credential never stands beside ours, and a
/// value that cannot be had refuses the request.
/// </summary>
/// <param name="source">The secret.</param>
/// <param name="header">The header, or null.</param>
/// <param name="query">The query parameter, or null.</param>
/// <param name="formatter">What is written, of <c>.Value</c>.</param>
sealed class InjectTransform(SourceUse source, string? header, string? query, TextTemplate formatter) : IRequestTransform
{
    readonly SourceUse[] sources = [source];

    public TransformStage Stage => TransformStage.Set;

    public IReadOnlyList<string> Secrets { get; } = [source.Name];

    public async ValueTask<Refusal?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        var (values, refusal) = await SourceValues.Fetch(runtime.Vault, request.Policy, sources, cancellationToken);
        if (values is null)
            return refusal;
        var text = formatter.Render(_ => values[source.Role].ForHeader());
        if (header is not null)
        {
            if (!HeaderText.Fits(text))
                return Refusals.Unusable(source.Name);
            request.SetHeader(header, text);
        }
        else
        {
            request.SetQuery(query!, Encoding.Latin1.GetBytes(text));
        }

        return null;
    }
}
