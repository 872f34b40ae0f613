using System.Globalization;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Threads;

/// <summary><c>GET /agent/threads</c> (contract §1.7): every thread, the one that spoke last first. A sandbox may not ask.</summary>
internal sealed class ThreadList(PostgresDatabase database)
{
    const int TextLength = 500;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/agent/threads", Handle).Needs(Scopes.Status).WithTags("threads").WithSummary("List threads, the one that spoke last first")
            .Produces<ThreadsResponse>().Produces<InvalidBody>(422);

    static async Task<IResult> Handle(string? limit, HttpContext http, ThreadList list, CancellationToken cancellationToken)
    {
        if (http.Caller().IsSandbox)
            return ApiFailure.Detail(StatusCodes.Status403Forbidden, "A sandbox may not list threads");
        var most = 200;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out most) || most is < 1 or > 500))
            return ApiFailure.Invalid([new FieldError(["query", "limit"], "limit must be a whole number from 1 to 500", "value_error")]);
        return TypedResults.Json(new ThreadsResponse(await list.Latest(most, cancellationToken)), ApiJson.Options);
    }

    Task<IReadOnlyList<ThreadSummary>> Latest(int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select s.thread_key, coalesce(s.harness, 'amp'), s.state, extract(epoch from s.started_at)::float8,
                   extract(epoch from greatest(s.updated_at, m.last_at))::float8, coalesce(m.turns, 0)::int,
                   left(m.first_text, {TextLength}), left(m.last_text, {TextLength}), s.thread_name
            from sandbox_sessions s
            left join lateral (
                select max(created_at) as last_at, count(*) filter (where role = 'user') as turns,
                       (select string_agg(p->>'text', ' ') from jsonb_array_elements((array_agg(parts order by created_at, id) filter (where role = 'user'))[1]) p) as first_text,
                       (select string_agg(p->>'text', ' ') from jsonb_array_elements((array_agg(parts order by created_at desc, id desc) filter (where role = 'user'))[1]) p) as last_text
                from chat_messages where thread_key = s.thread_key) m on true
            order by greatest(s.updated_at, m.last_at) desc, s.thread_key
            limit {limit}
            """,
            row => new ThreadSummary(
                row.GetString(0), row.GetString(1), row.GetString(2), row.GetDouble(3), row.GetDouble(4), row.GetInt32(5),
                row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : row.GetString(7), row.IsDBNull(8) ? null : row.GetString(8)),
            cancellationToken);
}

public sealed record ThreadsResponse(IReadOnlyList<ThreadSummary> Threads);

/// <summary>A thread at a glance; times are unix seconds.</summary>
public sealed record ThreadSummary(
    string SlackThreadKey, string Harness, string State, double CreatedAt, double LastActivity, int TurnCount, string? FirstMessage, string? LastUserMessage, string? ThreadName);
