using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Egress;

/// <summary>Every statement that writes records of egress and their anchors.</summary>
internal sealed class EgressStore(PostgresDatabase database, HostIdentity host)
{
    static readonly CrashPoint Shipping = new("egress.ship");
    static readonly CrashPoint Breaking = new("egress.break");
    static readonly CrashPoint Closing = new("egress.close");
    static readonly CrashPoint Partitioning = new("egress.partition");
    static readonly CrashPoint Expiring = new("egress.expire");

    /// <summary>How far the file of this sandbox is stored.</summary>
    public async Task<AuditAnchor> Anchor(string sandboxId, CancellationToken cancellationToken) =>
        await database.First(
            $"select bytes, lines, head from egress_anchors where sandbox_id = {sandboxId}",
            row => new AuditAnchor(sandboxId, row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2)),
            cancellationToken) ?? AuditAnchor.Beginning(sandboxId);

    /// <summary>
    /// Stores the lines behind an anchor, and advances it. Whoever stores anything takes one lock, so that ids become visible in order: who reads after a cursor misses nothing.
    /// </summary>
    /// <returns>False where somebody else has advanced it; then nothing is stored.</returns>
    public Task<bool> Ship(AuditAnchor from, AuditChunk chunk, CancellationToken cancellationToken) =>
        database.InTransaction(
            Shipping,
            async session =>
            {
                var lines = chunk.Lines;
                await session.Execute($"select pg_advisory_xact_lock(hashtext('egress-records'))", cancellationToken);
                await Ensure(session, from.SandboxId, cancellationToken);
                var at = await session.First(
                    $"""
                    update egress_anchors
                    set bytes = {chunk.End.Bytes}, lines = {chunk.End.Lines}, head = {chunk.End.Head}, shipped_at = greatest(shipped_at, clock_timestamp()),
                        broken_line = case when {chunk.Break is not null} then broken_line end, broken_cause = case when {chunk.Break is not null} then broken_cause end
                    where sandbox_id = {from.SandboxId} and bytes = {from.Bytes} and lines = {from.Lines} and head = {from.Head}
                    returning shipped_at
                    """,
                    row => (DateTimeOffset?)row.GetFieldValue<DateTimeOffset>(0),
                    cancellationToken);
                if (at is not { } storedAt)
                    return false;
                await session.Execute(
                    $"""
                    insert into egress_records (sandbox_id, line_number, kind, request_id, thread_key, turn_id, recorded_at, line, stored_at)
                    select {from.SandboxId}, {from.Lines} + place, kind, request_id, thread_key, turn_id, recorded_at, line, {storedAt}
                    from unnest({lines.Select(l => l.Kind).ToArray()}, {lines.Select(l => l.RequestId).ToArray()}, {lines.Select(l => l.ThreadKey).ToArray()},
                                {lines.Select(l => l.TurnId).ToArray()}, {lines.Select(l => l.Time).ToArray()}, {lines.Select(l => l.Text).ToArray()})
                         with ordinality as shipped (kind, request_id, thread_key, turn_id, recorded_at, line, place)
                    order by place
                    """,
                    cancellationToken);
                return true;
            },
            keep: stored => stored,
            cancellationToken);

    /// <summary>Notes where the chain of a file does not hold.</summary>
    /// <returns>False where that was known.</returns>
    public Task<bool> Break(string sandboxId, ChainBreak broken, CancellationToken cancellationToken) =>
        database.InTransaction(
            Breaking,
            async session =>
            {
                await Ensure(session, sandboxId, cancellationToken);
                return await session.Execute(
                    $"""
                    update egress_anchors set broken_line = {broken.Line}, broken_cause = {broken.Cause}
                    where sandbox_id = {sandboxId} and (broken_line is distinct from {broken.Line} or broken_cause <> {broken.Cause})
                    """,
                    cancellationToken) == 1;
            },
            keep: news => news,
            cancellationToken);

    /// <summary>Of these sandboxes those whose record is forgotten and whose chain holds, as far as it is stored.</summary>
    public Task<IReadOnlyList<string>> Forgotten(IReadOnlyCollection<string> sandboxIds, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select id from unnest({sandboxIds.ToArray()}) id
            where not exists (select from sandboxes s where s.sandbox_id = id)
              and not exists (select from egress_anchors a where a.sandbox_id = id and a.broken_line is not null)
            """,
            row => row.GetString(0),
            cancellationToken);

    /// <summary>Notes that the file of a sandbox that is gone is removed. It is written before the removal: one that is killed in between removes it the next time.</summary>
    public Task Close(string sandboxId, CancellationToken cancellationToken) =>
        database.Write(Closing, $"update egress_anchors set closed_at = clock_timestamp() where sandbox_id = {sandboxId} and broken_line is null", cancellationToken);

    public Task EnsurePartitions(CancellationToken cancellationToken) => database.Write(Partitioning, $"select ensure_egress_partitions(7)", cancellationToken);

    /// <summary>Drops the days that are older. It waits for nobody who reads them: it comes again.</summary>
    /// <returns>How many.</returns>
    public Task<int> Expire(int keepDays, CancellationToken cancellationToken) =>
        database.InTransaction(
            Expiring,
            async session =>
            {
                await session.Execute($"select set_config('lock_timeout', '5s', true), pg_advisory_xact_lock(hashtext('egress-records'))", cancellationToken);
                return await session.First($"select expire_egress_records({keepDays})", row => row.GetInt32(0), cancellationToken);
            },
            cancellationToken);

    Task<int> Ensure(SqlSession session, string sandboxId, CancellationToken cancellationToken) =>
        session.Execute($"insert into egress_anchors (sandbox_id, host_id) values ({sandboxId}, {host.HostId}) on conflict (sandbox_id) do nothing", cancellationToken);
}
