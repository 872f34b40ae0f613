using Centaur.Server.Platform.Database;

namespace Centaur.Server.Platform.Http;

/// <summary>The probes (contract §1.13), which need no key: alive, and able to work.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", () => TypedResults.Json(new HealthBody("ok"), ApiJson.Options))
            .On(Listener.Api | Listener.Sandbox | Listener.Public).WithMetadata(new OpenRoute())
            .WithTags("health").WithSummary("The process is alive").Produces<HealthBody>();
        routes.MapGet("/health/ready", Ready)
            .On(Listener.Api).WithMetadata(new OpenRoute())
            .WithTags("health").WithSummary("The database is reached and migrated").Produces<HealthBody>().Produces<DetailBody>(StatusCodes.Status503ServiceUnavailable);
    }

    static async Task<IResult> Ready(PostgresDatabase database, Readiness readiness, CancellationToken cancellationToken)
    {
        if (!readiness.IsReady)
            return ApiFailure.Unavailable("The server is starting: the database is not reached or not migrated yet.");
        try
        {
            await database.First($"select 1", row => row.GetInt32(0), cancellationToken);
            return TypedResults.Json(new HealthBody("ok"), ApiJson.Options);
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            return ApiFailure.Unavailable("The database cannot be reached.");
        }
    }
}

public sealed record HealthBody(string Status);

/// <summary>Marks a route that needs no key. Whatever is not marked needs one.</summary>
public sealed record OpenRoute;
