using System.Globalization;
using System.Text.Json.Serialization;
using Centaur.Server.Access;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Api;

/// <summary>Reading and cancelling executions (contract §1.5).</summary>
internal static class ExecutionEndpoints
{
    static readonly CrashPoint Cancelling = new("execution.cancel");
    const string NotFound = "execution not found";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/agent/executions/{execution_id}", Get)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Read an execution").Produces<ExecutionView>().Produces<DetailBody>(404);
        routes.MapPost("/agent/executions/{execution_id}/cancel", Cancel)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("Cancel an execution").Produces<CancelResponse>().Produces<DetailBody>(404);
        routes.MapGet("/agent/threads/{thread_key}/executions", List)
            .Needs(Scopes.Execute).WithTags("executions").WithSummary("List a thread's executions, newest first").Produces<ExecutionList>();
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
        var most = 20;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out most) || most is < 1 or > 100))
            return ApiFailure.Invalid([new FieldError(["query", "limit"], "limit must be a whole number from 1 to 100", "value_error")]);
        return http.Enter(threadKey)
            ?? (IResult)TypedResults.Json(new ExecutionList(threadKey, await executions.Of(threadKey, most, cancellationToken)), ApiJson.Options);
    }

    static async Task<IResult> Cancel(
        string execution_id, HttpContext http, PostgresDatabase database, ExecutionStore executions, EventStore events, WakeUps wakeUps, CancellationToken cancellationToken)
    {
        if (await executions.Find(execution_id, cancellationToken) is not { } found)
            return ApiFailure.Detail(StatusCodes.Status404NotFound, NotFound);
        if (http.Enter(found.ThreadKey) is { } refused)
            return refused;

        var (before, status) = await database.InTransaction(
            Cancelling,
            async session =>
            {
                await session.LockThread(found.ThreadKey, cancellationToken);
                var current = await executions.LockStatus(session, execution_id, cancellationToken);
                if (current is ExecutionStatus.Queued)
                {
                    await executions.CancelQueued(session, execution_id, cancellationToken);
                    await Append(session, ExecutionStatus.Cancelled, ("terminal_reason", "cancelled"), ("error_text", "cancelled"));
                    return (current, ExecutionStatus.Cancelled);
                }

                if (current is not (ExecutionStatus.Running or ExecutionStatus.RetryWait))
                    return (current, current);
                await executions.RequestCancel(session, execution_id, cancellationToken);
                await Append(session, ExecutionStatus.CancelRequested);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
                return (current, ExecutionStatus.CancelRequested);
            },
            cancellationToken);
        return TypedResults.Json(new CancelResponse(true, execution_id, found.ThreadKey, status!) { Idempotent = before == status }, ApiJson.Options);

        Task Append(SqlSession session, string to, params (string Name, System.Text.Json.Nodes.JsonNode? Value)[] more) =>
            events.Append(session, found.ThreadKey, execution_id, [ExecutionStateEvent.Of(execution_id, found.ThreadKey, to, more)], cancellationToken);
    }
}

public sealed record ExecutionList(string ThreadKey, IReadOnlyList<ExecutionEntry> Executions);

public sealed record CancelResponse(bool Ok, string ExecutionId, string ThreadKey, string Status)
{
    /// <summary>True where it had ended, or was being cancelled, before; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }
}
