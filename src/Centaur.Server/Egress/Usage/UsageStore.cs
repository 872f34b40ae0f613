using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Egress.Usage;

/// <summary>Every statement about what models cost.</summary>
internal sealed class UsageStore(PostgresDatabase database)
{
    /// <summary>Stores what lines say, in the transaction that stores the lines.</summary>
    /// <param name="sandboxId">Whose proxy wrote them.</param>
    /// <param name="linesBefore">How many lines of it are stored.</param>
    /// <param name="lines">The next.</param>
    public static Sql? Append(string sandboxId, long linesBefore, IReadOnlyList<AuditLine> lines)
    {
        var said = lines.Select((line, place) => (Line: line, Number: linesBefore + place + 1, Usage: LineUsage.Read(line))).Where(l => l.Usage is not null).ToList();
        return said.Count == 0
            ? null
            : Sql.Of(
                $"""
                insert into model_usage (sandbox_id, line_number, thread_key, turn_id, recorded_at, model, calls, input_tokens, cached_tokens, cache_write_tokens, output_tokens, is_partial)
                select {sandboxId}, u.* from unnest(
                    {said.Select(l => l.Number).ToArray()}, {said.Select(l => l.Line.ThreadKey).ToArray()}, {said.Select(l => l.Line.TurnId).ToArray()}, {said.Select(l => l.Line.Time).ToArray()},
                    {said.Select(l => l.Usage!.Model).ToArray()}, {said.Select(l => l.Usage!.Calls).ToArray()}, {said.Select(l => l.Usage!.Input).ToArray()},
                    {said.Select(l => l.Usage!.Cached).ToArray()}, {said.Select(l => l.Usage!.CacheWrite).ToArray()}, {said.Select(l => l.Usage!.Output).ToArray()},
                    {said.Select(l => l.Usage!.IsPartial).ToArray()}) u
                """);
    }

    /// <summary>A thread's, by turn and model, the oldest turn first.</summary>
    public Task<IReadOnlyList<UsageRow>> OfThread(string threadKey, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select u.turn_id, e.execution_id, u.model, sum(calls)::int, sum(input_tokens)::bigint, sum(cached_tokens)::bigint, sum(cache_write_tokens)::bigint, sum(output_tokens)::bigint,
                   coalesce(sum(calls) filter (where is_partial), 0)::int, coalesce(sum(calls) filter (where input_tokens is null or output_tokens is null), 0)::int
            from model_usage u
            left join agent_execution_requests e on e.durable_turn_id = u.turn_id and e.thread_key = u.thread_key
            where u.thread_key = {threadKey}
            group by u.turn_id, e.execution_id, u.model
            order by min(u.recorded_at)
            """,
            Read,
            cancellationToken);

    /// <summary>All threads', by day (UTC) and model, the newest day first.</summary>
    public Task<IReadOnlyList<UsageRow>> OfDays(int days, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select to_char(recorded_at at time zone 'utc', 'YYYY-MM-DD') as day, null, model, sum(calls)::int, sum(input_tokens)::bigint, sum(cached_tokens)::bigint,
                   sum(cache_write_tokens)::bigint, sum(output_tokens)::bigint,
                   coalesce(sum(calls) filter (where is_partial), 0)::int, coalesce(sum(calls) filter (where input_tokens is null or output_tokens is null), 0)::int
            from model_usage
            where recorded_at >= (date_trunc('day', now() at time zone 'utc') - make_interval(days => {days - 1})) at time zone 'utc'
            group by day, model
            order by day desc, model
            """,
            Read,
            cancellationToken);

    static UsageRow Read(NpgsqlDataReader row) => new(
        Text(row, 0), Text(row, 1), Text(row, 2), row.GetInt32(3), Number(row, 4), Number(row, 5), Number(row, 6), Number(row, 7), row.GetInt32(8), row.GetInt32(9));

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}

/// <summary>What some answers of one model cost together.</summary>
/// <param name="Key">The turn, or the day.</param>
/// <param name="ExecutionId">The turn's execution.</param>
/// <param name="Model">Null where no answer said which.</param>
/// <param name="Calls">Answers.</param>
/// <param name="Input">Tokens that were read anew.</param>
/// <param name="Cached">Tokens that came from the vendor's cache.</param>
/// <param name="CacheWrite">Tokens that went into it.</param>
/// <param name="Output">Tokens that were made.</param>
/// <param name="PartialCalls">Answers that ended before they said their last word on it.</param>
/// <param name="UnknownCalls">Answers that did not say how much they read, or made.</param>
internal sealed record UsageRow(
    string? Key, string? ExecutionId, string? Model, int Calls, long? Input, long? Cached, long? CacheWrite, long? Output, int PartialCalls, int UnknownCalls);
