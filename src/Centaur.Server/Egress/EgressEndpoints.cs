using System.Globalization;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Microsoft.OpenApi;

namespace Centaur.Server.Egress;

/// <summary>Reading records: of a thread by whoever may read the thread, of all threads by an operator.</summary>
internal static class EgressEndpoints
{
    const int Usual = 100;
    const int Most = 500;
    const string Paging = "With after, the records behind that id, oldest first; without, the newest. The answer's cursor is the next after.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/threads/{thread_key}/egress", OfThread)
            .Needs(Scopes.Execute).WithTags("egress").WithSummary("Read what left a thread's sandboxes, and what was refused").WithDescription(Paging)
            .AddOpenApiOperationTransformer(Describe).Produces<EgressPage>().Produces<DetailBody>(404).Produces<InvalidBody>(422);
        routes.MapGet("/admin/egress", OfAll)
            .Needs(Scopes.Admin).WithTags("egress").WithSummary("Read what left all sandboxes, and what was refused").WithDescription(Paging)
            .AddOpenApiOperationTransformer(Describe).Produces<EgressPage>().Produces<InvalidBody>(422);
        routes.MapGet("/admin/egress/{record_id:long}", OfRequest)
            .Needs(Scopes.Admin).WithTags("egress").WithSummary("Read an egress record with the others of its request").Produces<EgressPage>().Produces<DetailBody>(404);
    }

    static async Task<IResult> OfThread(string? after, string? limit, HttpContext http, EgressReadStore records, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        if (http.Caller().RefusalFor(threadKey) is { } foreign)
            return foreign;
        var page = await Page(threadKey, after, limit, records, cancellationToken);
        return page.Succeeded && page.Value.Records.Count == 0 && !await records.Knows(threadKey, cancellationToken)
            ? ApiFailure.Detail(StatusCodes.Status404NotFound, "thread not found")
            : page.ToHttp();
    }

    static async Task<IResult> OfAll(string? after, string? limit, EgressReadStore records, CancellationToken cancellationToken) => (await Page(null, after, limit, records, cancellationToken)).ToHttp();

    static async Task<IResult> OfRequest(long record_id, EgressReadStore records, CancellationToken cancellationToken)
    {
        var found = await records.Request(record_id, cancellationToken);
        return found.Count == 0
            ? ApiFailure.Detail(StatusCodes.Status404NotFound, "egress record not found")
            : TypedResults.Json(new EgressPage(found, found[^1].RecordId), ApiJson.Options);
    }

    static async Task<Outcome<EgressPage>> Page(string? threadKey, string? after, string? limit, EgressReadStore records, CancellationToken cancellationToken)
    {
        long? cursor = null;
        if (after is not null)
        {
            if (!long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var given))
                return ApiFailure.Invalid([new FieldError(["query", "after"], "after must be the id of a record: a whole number that is not negative", "value_error")]);
            cursor = given;
        }

        var size = PageSize.Of(limit, Usual, Most);
        if (size.Failure is { } wrong)
            return wrong;
        var found = await records.Page(threadKey, cursor, size.Value, cancellationToken);
        return new EgressPage(found, found.Count > 0 ? found[^1].RecordId : cursor ?? 0);
    }

    static Task Describe(OpenApiOperation operation, Microsoft.AspNetCore.OpenApi.OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>().Where(p => p.In == ParameterLocation.Query) ?? [])
        {
            parameter.Schema = new OpenApiSchema { Type = JsonSchemaType.Integer };
            parameter.Description = parameter.Name == "after" ? "The last record that the reader has; 0 is the beginning." : $"At most so many, from 1 to {Most}; {Usual} where it is missing.";
        }

        return Task.CompletedTask;
    }
}

/// <param name="Records">In the order of their ids.</param>
/// <param name="Cursor">The last of these ids; what was asked for where there is none.</param>
public sealed record EgressPage(IReadOnlyList<EgressEntry> Records, long Cursor);
