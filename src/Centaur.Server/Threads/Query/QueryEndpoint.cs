using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Npgsql;

namespace Centaur.Server.Threads.Query;

/// <summary>
/// <c>POST /agent/query</c> (contract §1.7). Any key may query the threads that it began; those of others need <c>admin</c>, where the original showed every key everything.
/// </summary>
internal static class QueryEndpoint
{
    const int MaxSql = 64 << 10;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/agent/query", Handle)
            .NeedsAnyKey().WithTags("threads").WithSummary("Query the threads with a select statement, read-only")
            .WithDescription("Sees, of the threads that the key began, or with admin of all, the views of the schema readable: agent_runtime_assignments, agent_execution_requests, agent_execution_events, agent_message_requests, chat_messages, attachments, sandbox_sessions. At most 500 rows.")
            .Accepts<QueryBody>("application/json").Produces<QueryResponse>().Produces<DetailBody>(400).Produces<InvalidBody>(422).Produces<DetailBody>(429).Produces<ControlBody>(503);

    static async Task<IResult> Handle(HttpContext http, QueryRole role, QueryStore store, CancellationToken cancellationToken)
    {
        if (http.Caller().ApiKeyId is not { } keyId)
            return ApiFailure.Detail(StatusCodes.Status403Forbidden, "A sandbox may not query.");
        var read = await JsonBody.Read(http);
        if (read.Failure is { } unreadable)
            return unreadable;
        var sql = read.Value.Text("sql", MaxSql);
        if (read.Value.Invalid is { } invalid)
            return invalid;
        var checkedSql = QueryGuard.Check(sql);
        if (checkedSql.Failure is { } refused)
            return refused;
        if (role.Name is not { } name)
            return ApiFailure.Control("QUERY_ROLE_MISSING", role.Repair, StatusCodes.Status503ServiceUnavailable);
        if (!store.TryEnter())
            return ApiFailure.Busy($"{QueryStore.AtOnce} queries run already. Try again in a moment.");
        try
        {
            var rows = await store.Run(name, Scopes.Permit(http.Caller().Scopes, Scopes.Admin) ? QueryStore.EveryThread : keyId, checkedSql.Value, cancellationToken);
            return TypedResults.Json(new QueryResponse(rows, rows.Count), ApiJson.Options);
        }
        catch (PostgresException e) when (!Outages.IsOutage(e))
        {
            return ApiFailure.Detail(StatusCodes.Status400BadRequest, $"The query failed: {e.MessageText}.");
        }
        catch (QueryTooLargeException)
        {
            return ApiFailure.Detail(StatusCodes.Status400BadRequest, "The answer is larger than 8 MB. Ask for fewer rows or columns.");
        }
        finally
        {
            store.Leave();
        }
    }
}

public sealed record QueryBody(string Sql);

/// <param name="Rows">At most 500.</param>
/// <param name="Count">How many rows are here.</param>
public sealed record QueryResponse(IReadOnlyList<JsonObject> Rows, int Count);
