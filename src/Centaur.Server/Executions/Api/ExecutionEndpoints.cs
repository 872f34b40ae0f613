using System.Globalization;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Api;

/// <summary>Reading and cancelling executions (contract §1.5).</summary>
internal static class ExecutionEndpoints
{
    const string NotFound = "execution not found";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/executions/{execution_id}", Get)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Read an execution").Produces<ExecutionView>().Produces<DetailBody>(404);
        routes.MapPost("/agent/executions/{execution_id}/cancel", Cancel)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Cancel an execution").Produces<CancelResponse>().Produces<DetailBody>(404);
        routes.MapGet("/agent/threads/{thread_key}/executions", List)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("List a thread's executions, newest first").Produces<ExecutionList>().Produces<InvalidBody>(422);
    }

    static async Task<IResult> Get(string execution_id, HttpContext http, ExecutionStore executions, CancellationToken cancellationToken)
    {
        if (await executions.Find(execution_id, cancellationToken) is not { } found)
            return ApiFailure.Detail(StatusCodes.Status404NotFound, NotFound);
        return http.Enter(found.ThreadKey) ?? (IResult)TypedResults.Json(found, ApiJson.Options);
    }

    static async Task<IResult> List(string? limit, HttpContext http, ExecutionStore executions, CancellationToken cancellationToken)
    {
        var threadKey = http.RouteValue("thread_key");
        var size = PageSize.Of(limit, 20, 100);
        return size.Failure ?? http.Enter(threadKey)
            ?? (IResult)TypedResults.Json(new ExecutionList(threadKey, await executions.Of(threadKey, size.Value, cancellationToken)), ApiJson.Options);
    }

    static async Task<IResult> Cancel(string execution_id, HttpContext http, ExecutionStore executions, CancelExecution cancel, CancellationToken cancellationToken)
    {
        if (await executions.Find(execution_id, cancellationToken) is not { } found)
            return ApiFailure.Detail(StatusCodes.Status404NotFound, NotFound);
        return http.Enter(found.ThreadKey) ?? (IResult)TypedResults.Json(await cancel.Run(execution_id, found.ThreadKey, cancellationToken), ApiJson.Options);
    }
}

public sealed record ExecutionList(string ThreadKey, IReadOnlyList<ExecutionEntry> Executions);
