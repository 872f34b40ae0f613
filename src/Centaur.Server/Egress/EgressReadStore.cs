using System.Text.Json;
using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Egress;

/// <summary>Every statement that reads records for people.</summary>
internal sealed class EgressReadStore(PostgresDatabase database)
{
    /// <summary>Records in the order of their ids.</summary>
    /// <param name="threadKey">One thread's; null for all.</param>
    /// <param name="after">Those behind this id; null for the newest.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public Task<IReadOnlyList<EgressEntry>> Page(string? threadKey, long? after, int limit, CancellationToken cancellationToken) =>
        after is { } cursor
            ? database.Query(
                $"""
                select record_id, sandbox_id, line_number, stored_at, line from egress_records
                where ({threadKey} is null or thread_key = {threadKey}) and record_id > {cursor}
                order by record_id limit {limit}
                """,
                Read,
                cancellationToken)
            : database.Query(
                $"""
                select record_id, sandbox_id, line_number, stored_at, line
                from (select * from egress_records where {threadKey} is null or thread_key = {threadKey} order by record_id desc limit {limit}) newest
                order by record_id
                """,
                Read,
                cancellationToken);

    /// <summary>A record with the others of its request, in their order; empty where there is none of this id.</summary>
    public Task<IReadOnlyList<EgressEntry>> Request(long recordId, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select r.record_id, r.sandbox_id, r.line_number, r.stored_at, r.line
            from egress_records asked
            join egress_records r on r.sandbox_id = asked.sandbox_id and (r.record_id = asked.record_id or r.request_id = asked.request_id)
            where asked.record_id = {recordId}
            order by r.record_id
            """,
            Read,
            cancellationToken);

    /// <summary>Whether there is such a thread, or was when its records were made.</summary>
    public Task<bool> Knows(string threadKey, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select exists (select from agent_runtime_assignments where thread_key = {threadKey}) or exists (select from egress_records where thread_key = {threadKey})
            """,
            row => row.GetBoolean(0),
            cancellationToken);

    static EgressEntry Read(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3), Json(row.GetString(4)));

    /// <summary>A row that somebody altered must not hide the others; the verifier names it.</summary>
    static JsonElement? Json(string line)
    {
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>One record.</summary>
/// <param name="RecordId">Its id, and the cursor.</param>
/// <param name="SandboxId">Whose proxy wrote it.</param>
/// <param name="Line">Its place in that proxy's file, from 1.</param>
/// <param name="StoredAt">When it was stored here.</param>
/// <param name="Record">The line itself; null where what is stored is no JSON any more.</param>
public sealed record EgressEntry(long RecordId, string SandboxId, long Line, DateTimeOffset StoredAt, JsonElement? Record);
