using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Sandboxes.Pool;

/// <summary>The warm pool as operators see it (contract §1.7), of the host that this server runs on.</summary>
internal static class PoolEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/pool", Get).Needs(Scopes.Admin).WithTags("sandboxes").WithSummary("Show the spare sandboxes").Produces<PoolStatus>();
        routes.MapPost("/agent/pool/replenish", Replenish)
            .Needs(Scopes.Admin).WithTags("sandboxes").WithSummary("Make the spare sandboxes that are missing").Produces<PoolReplenished>();
    }

    static async Task<IResult> Get(SpareStore spares, SandboxOptions options, CancellationToken cancellationToken)
    {
        var ready = await spares.List(cancellationToken);
        return TypedResults.Json(new PoolStatus(options.WarmPool.Size, ready.Count, PoolStatus.AnyHarness, ready), ApiJson.Options);
    }

    /// <summary>Reserves what is missing; the pool's worker, which is woken, starts it.</summary>
    static async Task<IResult> Replenish(SpareStore spares, SandboxOptions options, CancellationToken cancellationToken)
    {
        var made = await spares.Replenish(cancellationToken);
        return TypedResults.Json(new PoolReplenished(made.Count, options.WarmPool.Size, (await spares.List(cancellationToken)).Count), ApiJson.Options);
    }
}

/// <param name="TargetSize">How many spares there should be.</param>
/// <param name="CurrentSize">How many a thread may take now.</param>
/// <param name="Harness">A spare is nobody's and gets its harness from the thread that takes it.</param>
/// <param name="Containers">The spares, oldest first.</param>
public sealed record PoolStatus(int TargetSize, int CurrentSize, string Harness, IReadOnlyList<SpareEntry> Containers)
{
    public const string AnyHarness = "any";
}

/// <param name="Spawned">How many were reserved by this request.</param>
/// <param name="TargetSize">How many there should be.</param>
/// <param name="CurrentSize">How many a thread may take now.</param>
public sealed record PoolReplenished(int Spawned, int TargetSize, int CurrentSize);
