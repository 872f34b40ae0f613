using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Secrets;

/// <summary>
/// <c>GET /health/runtime-credentials</c> (contract §1.13): whether each harness has a model that it may ask. Names alone: values are the broker's. Every answer is read anew, so
/// that <c>refresh</c> is accepted and changes nothing.
/// </summary>
internal static class RuntimeCredentialEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/health/runtime-credentials", Read)
            .Needs(Scopes.Admin).WithTags("health").WithSummary("Whether each harness's model key is configured").Produces<RuntimeCredentials>();

    static async Task<IResult> Read(ModelOptions models, SecretStore secrets, CancellationToken cancellationToken)
    {
        var keys = models.ByHarness.Values.SelectMany(candidates => candidates).Select(c => c.Key).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var known = (await secrets.Find(keys, cancellationToken)).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var harnesses = models.ByHarness.OrderBy(h => h.Key, StringComparer.Ordinal).Select(h => Of(h.Key, h.Value, known)).ToList();
        return TypedResults.Json(new RuntimeCredentials(harnesses.All(h => h.Configured) ? "ok" : "degraded", harnesses), ApiJson.Options);
    }

    static HarnessCredentials Of(string harness, IReadOnlyList<ModelEndpoint> models, HashSet<string> known)
    {
        var candidates = models.Select(m => new ModelCredential(m.Key, m.Key is null || known.Contains(m.Key), m.BaseUrl.Host)).ToList();
        return new HarnessCredentials(harness, candidates.Any(c => c.Configured), candidates);
    }
}

/// <param name="Status">ok where every harness is configured, else degraded.</param>
/// <param name="Harnesses">By name.</param>
public sealed record RuntimeCredentials(string Status, IReadOnlyList<HarnessCredentials> Harnesses);

/// <param name="Harness">The harness.</param>
/// <param name="Configured">One of its models at least can be asked.</param>
/// <param name="Candidates">The models, the preferred one first.</param>
public sealed record HarnessCredentials(string Harness, bool Configured, IReadOnlyList<ModelCredential> Candidates);

/// <param name="Key">The name of the secret that is the model's key; null where it wants none.</param>
/// <param name="Configured">The secret has a name and bindings here, or none is wanted.</param>
/// <param name="Host">Where it is sent.</param>
public sealed record ModelCredential(string? Key, bool Configured, string Host);
