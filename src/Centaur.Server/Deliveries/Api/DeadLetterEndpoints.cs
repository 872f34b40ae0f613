using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Deliveries.Api;

/// <summary>What was never delivered, for operators: which answers, why, and once more.</summary>
internal static class DeadLetterEndpoints
{
    const int MostRows = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var deadLetters = routes.MapGroup("/admin/dead-letters").WithTags("deliveries").Needs(Scopes.Admin);
        deadLetters.MapGet("", List)
            .WithSummary("List the answers that could not be delivered, the latest first").Produces<DeadLetterList>().Produces<InvalidBody>(422);
        deadLetters.MapPost("/{execution_id}/retry", Retry)
            .WithSummary("Offer a dead letter for delivery once more, with all its attempts").Produces<DeliveryResponse>().Produces<DetailBody>(404).Produces<DetailBody>(409);
    }

    static async Task<IResult> List(string? limit, DeliveryStore store, CancellationToken cancellationToken)
    {
        var size = PageSize.Of(limit, 50, MostRows);
        if (size.Failure is { } invalid)
            return invalid;
        return TypedResults.Json(new DeadLetterList(await store.DeadLetters(size.Value, cancellationToken)), ApiJson.Options);
    }

    static async Task<IResult> Retry(string execution_id, DeliveryClaims claims, CancellationToken cancellationToken) =>
        await claims.Retry(execution_id, cancellationToken) switch
        {
            DeliveryReport.Taken => TypedResults.Json(new DeliveryResponse(true, execution_id), ApiJson.Options),
            DeliveryReport.Unknown => ApiFailure.Detail(StatusCodes.Status404NotFound, "delivery not found"),
            _ => ApiFailure.Detail(StatusCodes.Status409Conflict, "This delivery is no dead letter."),
        };
}

public sealed record DeadLetterList(IReadOnlyList<DeadLetter> DeadLetters);

/// <param name="ExecutionId">The execution, or the notice, that could not be delivered; its answer is at <c>GET /agent/executions/{execution_id}</c>.</param>
/// <param name="ThreadKey">Its thread.</param>
/// <param name="AttemptCount">How often it was tried.</param>
/// <param name="LastError">What the last attempt said.</param>
/// <param name="Delivery">Where it should have gone.</param>
/// <param name="LastAttemptAt">When it was tried last.</param>
public sealed record DeadLetter(string ExecutionId, string ThreadKey, int AttemptCount, string? LastError, JsonObject Delivery, DateTimeOffset? LastAttemptAt);
