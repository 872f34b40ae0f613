using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Telemetry;

namespace Centaur.Server.Deliveries.Api;

/// <summary>The outbox for deliverers outside this process (contract §1.8).</summary>
internal static class DeliveryEndpoints
{
    const int MaxError = 8 * 1024;
    const int MaxId = 256;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/agent/final-deliveries/claim", Claim)
            .Needs(Scopes.Execute).WithTags("deliveries").WithSummary("Take answers that are due for delivery")
            .Accepts<ClaimBody>("application/json").Produces<ClaimResponse>().Produces<DetailBody>(403).Produces<InvalidBody>(422);
        routes.MapPost("/agent/final-deliveries/{execution_id}/heartbeat", Heartbeat)
            .Needs(Scopes.Execute).WithTags("deliveries").WithSummary("Lengthen the lease of a delivery")
            .Accepts<HeartbeatBody>("application/json").Produces<DeliveryResponse>().Produces<DetailBody>(409).Produces<InvalidBody>(422);
        routes.MapPost("/agent/final-deliveries/{execution_id}/delivered", Delivered)
            .Needs(Scopes.Execute).WithTags("deliveries").WithSummary("Say that an answer was delivered")
            .Accepts<DeliveredBody>("application/json").Produces<DeliveryResponse>().Produces<DetailBody>(404).Produces<DetailBody>(409).Produces<InvalidBody>(422);
        routes.MapPost("/agent/final-deliveries/{execution_id}/failed", Failed)
            .Needs(Scopes.Execute).WithTags("deliveries").WithSummary("Say that a delivery failed")
            .Accepts<FailedBody>("application/json").Produces<DeliveryResponse>().Produces<DetailBody>(404).Produces<DetailBody>(409).Produces<InvalidBody>(422);
    }

    static async Task<IResult> Claim(HttpContext http, DeliveryClaims claims, CancellationToken cancellationToken)
    {
        if (Refused(http) is { } foreign)
            return foreign;
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var consumer = ConsumerOf(body, isRequired: true);
        var limit = Between(body, "limit", 1, 1, 20);
        var lease = Between(body, "lease_seconds", 60, 15, 600);
        var platform = body.OptionalText("platform", 100);
        if (body.Invalid is { } invalid)
            return invalid;
        var claimed = await claims.Claim(new DeliveryClaim(consumer!, limit, TimeSpan.FromSeconds(lease), platform), cancellationToken);
        return TypedResults.Json(new ClaimResponse(claimed.Select(DeliveryView.Of).ToList()), ApiJson.Options);
    }

    static async Task<IResult> Heartbeat(string execution_id, HttpContext http, DeliveryClaims claims, CancellationToken cancellationToken)
    {
        if (Refused(http) is { } foreign)
            return foreign;
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var consumer = ConsumerOf(read.Value, isRequired: true);
        var lease = Between(read.Value, "lease_seconds", 60, 15, 600);
        if (read.Value.Invalid is { } invalid)
            return invalid;
        return await claims.Renew(execution_id, consumer!, TimeSpan.FromSeconds(lease), cancellationToken)
            ? TypedResults.Json(new DeliveryResponse(true, execution_id), ApiJson.Options)
            : NotClaimable();
    }

    static async Task<IResult> Delivered(string execution_id, HttpContext http, DeliveryClaims claims, CancellationToken cancellationToken)
    {
        if (Refused(http) is { } foreign)
            return foreign;
        var read = await JsonBody.Read(http, mayBeEmpty: true);
        if (read.Failure is { } unreadable)
            return unreadable;
        var consumer = ConsumerOf(read.Value, isRequired: false);
        return read.Value.Invalid ?? Answer(execution_id, await claims.Delivered(execution_id, consumer, cancellationToken));
    }

    static async Task<IResult> Failed(string execution_id, HttpContext http, DeliveryClaims claims, CancellationToken cancellationToken)
    {
        if (Refused(http) is { } foreign)
            return foreign;
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var body = read.Value;
        var failure = new DeliveryFailure(
            ConsumerOf(body, isRequired: false), body.Text("error", MaxError), TimeSpan.FromSeconds(Between(body, "retry_after_seconds", 15, 5, 600)))
        {
            NonRetryable = body.OptionalFlag("non_retryable") ?? false,
            Class = body.OptionalText("error_class", 100),
        };
        return body.Invalid ?? Answer(execution_id, await claims.Failed(execution_id, failure, cancellationToken));
    }

    /// <summary>A sandbox that could say that its answer was delivered could hide it.</summary>
    static ApiFailure? Refused(HttpContext http) =>
        http.Caller().IsSandbox ? ApiFailure.Detail(StatusCodes.Status403Forbidden, "A sandbox may not deliver answers") : null;

    static string? ConsumerOf(JsonBody body, bool isRequired)
    {
        var consumer = isRequired ? body.Text("consumer_id", MaxId) : body.OptionalText("consumer_id", MaxId);
        if (consumer is not null && body.OptionalText("consumer_id", MaxId) is { Length: 0 })
            body.Wrong("consumer_id", "must not be empty");
        return consumer;
    }

    static int Between(JsonBody body, string name, int fallback, int least, int most)
    {
        var value = body.OptionalInt(name) ?? fallback;
        if (value < least || value > most)
            body.Wrong(name, $"must be from {least} to {most}");
        return value;
    }

    static IResult Answer(string executionId, DeliveryReport report) => report switch
    {
        DeliveryReport.Taken => TypedResults.Json(new DeliveryResponse(true, executionId), ApiJson.Options),
        DeliveryReport.Repeated => TypedResults.Json(new DeliveryResponse(true, executionId) { Idempotent = true }, ApiJson.Options),
        DeliveryReport.Unknown => ApiFailure.Detail(StatusCodes.Status404NotFound, "delivery not found"),
        _ => NotClaimable(),
    };

    static ApiFailure NotClaimable() => ApiFailure.Detail(StatusCodes.Status409Conflict, "delivery not claimable");
}

public sealed record ClaimBody(string ConsumerId, int? Limit, int? LeaseSeconds, string? Platform);

public sealed record ClaimResponse(IReadOnlyList<DeliveryView> Deliveries);

public sealed record DeliveryView(string ExecutionId, string ThreadKey, Guid? TraceId, string? Traceparent, int AttemptCount, JsonObject Delivery, JsonObject FinalPayload)
{
    internal static DeliveryView Of(ClaimedDelivery claimed) =>
        new(claimed.ExecutionId, claimed.ThreadKey, claimed.TraceId, claimed.TraceId is { } trace ? TraceHeaders.Parent(trace) : null, claimed.AttemptCount, claimed.Delivery, claimed.FinalPayload);
}

public sealed record HeartbeatBody(string ConsumerId, int? LeaseSeconds);

public sealed record DeliveredBody(string? ConsumerId);

public sealed record FailedBody(string? ConsumerId, string Error, int? RetryAfterSeconds, bool? NonRetryable, string? ErrorClass);

public sealed record DeliveryResponse(bool Ok, string ExecutionId)
{
    /// <summary>True where it was delivered before; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }
}
