using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Secrets;

/// <summary><c>GET /admin/models</c>: which harness would find a model to ask. Names alone, of harnesses and secrets.</summary>
internal static class ModelList
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/admin/models", Handle)
            .Needs(Scopes.Admin).WithTags("secrets").WithSummary("Say for each harness whether a model of it can be asked").Produces<ModelListBody>();

    static async Task<IResult> Handle(ModelOptions options, SecretStore secrets, CancellationToken cancellationToken)
    {
        var set = (await secrets.All(cancellationToken)).Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        var harnesses = options.ByHarness.Select(harness => new HarnessModels(
            harness.Key,
            harness.Value.Any(model => model.Key is null || set.Contains(model.Key)),
            harness.Value.Select(model => model.Key).OfType<string>().ToList()));
        return TypedResults.Json(new ModelListBody(options.DefaultHarness, harnesses.ToList()), ApiJson.Options);
    }
}

/// <param name="DefaultHarness">The harness of a thread that names none.</param>
/// <param name="Harnesses">Every harness that can be asked for.</param>
public sealed record ModelListBody(string DefaultHarness, IReadOnlyList<HarnessModels> Harnesses);

/// <param name="Harness">Its name.</param>
/// <param name="Usable">True where one of its models wants no key, or its key is set.</param>
/// <param name="Keys">The secrets any one of which makes it usable, best first; empty where its model wants none.</param>
public sealed record HarnessModels(string Harness, bool Usable, IReadOnlyList<string> Keys);
