using Centaur.Proxy.Forwarding;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// Which transforms one request goes through.
/// <para>1. An endpoint that is answered here goes through none.</para>
/// <para>2. Of every group the first whose rules match is taken, of the others each.</para>
/// <para>3. What carries a secret travels under TLS only, and to a mapped upstream only where its entry names the secret.</para>
/// <para>4. Each works on the message as it will leave: hop-by-hop headers are gone, placeholders are swapped.</para>
/// </summary>
sealed class TransformPlan
{
    static readonly TransformPlan None = new([], null);

    readonly IRequestTransform[] transforms;
    readonly TokenStub? stub;

    TransformPlan(IRequestTransform[] transforms, TokenStub? stub)
    {
        (this.transforms, this.stub) = (transforms, stub);
        Secrets = transforms.Length == 0 ? [] : [.. transforms.SelectMany(transform => transform.Secrets).Distinct()];
    }

    /// <summary>Names of the secrets that the request will carry by them.</summary>
    public IReadOnlyList<string> Secrets { get; }

    public static TransformPlan For(HostModel host, RequestLine line, HttpRequest request)
    {
        var set = host.Transforms;
        if (set.Transforms.Length == 0 && set.Stubs.Length == 0)
            return None;

        // 1.
        if (Array.Find(set.Stubs, stub => stub.Covers(line.Target, request.Method, line.Path, request.Headers)) is { } answered)
            return new TransformPlan([], answered);

        // 2.
        var chosen = new List<IRequestTransform>();
        var groups = new HashSet<string>(StringComparer.Ordinal);
        foreach (var bound in set.Transforms)
        {
            if (bound.Covers(line.Target, request.Method, line.Path) && (bound.Group is null || groups.Add(bound.Group)))
                chosen.Add(bound.Transform);
        }

        return chosen.Count == 0 ? None : new TransformPlan([.. chosen], null);
    }

    public async ValueTask<Interruption?> Apply(OutgoingMessage request, TransformRuntime runtime, CancellationToken cancellationToken)
    {
        if (stub is not null)
            return new Interruption(null, stub);
        if (transforms.Length == 0)
            return null;

        // 3.
        if (Obstacle(request) is { } obstacle)
            return new Interruption(obstacle, null);
        if (Secrets.Count > 0)
            request.AskForWholeAnswer();

        // 4.
        foreach (var transform in transforms)
        {
            if (await transform.Apply(request, runtime, cancellationToken) is { } refusal)
                return new Interruption(refusal, null);
        }

        return null;
    }

    Refusal? Obstacle(OutgoingMessage request)
    {
        if (Secrets.Count == 0)
            return null;
        var host = request.Line.Target.Host;
        if (!request.Line.Secure)
            return TransformRefusals.Cleartext(Secrets[0], host);
        return request.Policy.NotMapped(request.Line.Target.Host, request.Line.Target.Port, Secrets) is { } name ? TransformRefusals.NotMapped(name, host) : null;
    }
}
