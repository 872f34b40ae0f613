using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Centaur.Proxy.Front;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// Removes every header of the client that is not listed. What frames the message (Host, its length) is no header in this sense, and what other transforms set
/// comes afterwards.
/// </summary>
/// <param name="names">Literal names, any case.</param>
/// <param name="expressions">Patterns over names. One that takes too long for a name refuses the request.</param>
sealed class HeaderAllowlistTransform(IEnumerable<string> names, Regex[] expressions) : IRequestTransform
{
    // Identity is asked for where an answer must be searched; no client says it.
    const string Ours = "Accept-Encoding";

    readonly FrozenSet<string> names = names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public TransformStage Stage => TransformStage.Strip;

    public IReadOnlyList<string> Secrets => [];

    public ValueTask<Refusal?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        var searched = request.Policy.For(request.Line.Target.Host, request.Line.Target.IsAddress).HoldsSecrets;
        var sent = request.Message.Headers.NonValidated.Select(header => header.Key);
        if (request.Message.Content is { } content)
            sent = sent.Concat(content.Headers.NonValidated.Select(header => header.Key));
        try
        {
            var strange = sent.Where(name => !IsFraming(name) && !(searched && name.Equals(Ours, StringComparison.OrdinalIgnoreCase)) && !Lists(name)).ToList();
            foreach (var name in strange)
                request.RemoveHeader(name);
            return ValueTask.FromResult<Refusal?>(null);
        }
        catch (RegexMatchTimeoutException)
        {
            return ValueTask.FromResult<Refusal?>(Refusals.Bad("the name of a header takes too long to compare with the list of allowed ones"));
        }
    }

    bool Lists(string name) => names.Contains(name) || Array.Exists(expressions, expression => expression.IsMatch(name));

    static bool IsFraming(string name) =>
        name.Equals("Host", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase) || name.Equals("Expect", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Sec-WebSocket-Key", StringComparison.OrdinalIgnoreCase) || name.Equals("Sec-WebSocket-Version", StringComparison.OrdinalIgnoreCase);
}
