using Centaur.Server.Platform.Database;

namespace Centaur.Server.Egress;

/// <summary>Every statement of the verifier. One verification at a time: it reads everything.</summary>
internal sealed class ChainStore(PostgresDatabase database) : IDisposable
{
    const int PageRows = 1000;

    readonly SemaphoreSlim one = new(1, 1);

    public bool TryEnter() => one.Wait(0);

    public void Leave() => one.Release();

    public void Dispose() => one.Dispose();

    /// <summary>The sandboxes of which there is anything.</summary>
    public Task<IReadOnlyList<string>> Sandboxes(CancellationToken cancellationToken) =>
        database.Query($"select sandbox_id from egress_anchors union select sandbox_id from egress_records order by 1", row => row.GetString(0), cancellationToken);

    /// <summary>Reads what is stored of a sandbox, up to the first fault. Rows and anchor are as of one moment: what is shipped or dropped meanwhile is no fault.</summary>
    /// <returns>Null where nothing of the sandbox is known.</returns>
    public Task<ChainWalk?> Walk(string sandboxId, CancellationToken cancellationToken) =>
        database.ReadOnly(
            async session =>
            {
                await session.Execute($"set transaction isolation level repeatable read", cancellationToken);
                var anchor = await session.First(
                    $"select lines, head, base_lines, base_head, broken_line, broken_cause from egress_anchors where sandbox_id = {sandboxId}", StoredAnchor.Read, cancellationToken);
                var walk = new ChainWalk(sandboxId, anchor ?? StoredAnchor.None);
                while (walk.Fault is null && await Page(session, sandboxId, walk.After, cancellationToken) is { Count: > 0 } rows)
                {
                    foreach (var row in rows)
                        walk.Take(row);
                }

                walk.End();
                return anchor is null && walk.Rows == 0 ? null : walk;
            },
            cancellationToken);

    static Task<IReadOnlyList<StoredLine>> Page(SqlSession session, string sandboxId, (long Line, long RecordId) after, CancellationToken cancellationToken) =>
        session.Query(
            $"""
            select record_id, line_number, kind, request_id, thread_key, turn_id, recorded_at, line from egress_records
            where sandbox_id = {sandboxId} and (line_number, record_id) > ({after.Line}, {after.RecordId})
            order by line_number, record_id limit {PageRows}
            """,
            StoredLine.Read,
            cancellationToken);
}
