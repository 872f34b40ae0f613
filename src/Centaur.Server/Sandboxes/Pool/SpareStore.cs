using System.Security.Cryptography;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes.Pool;

/// <summary>Every statement about spare sandboxes: rows without a thread, <c>starting</c> and then <c>spare</c>.</summary>
internal sealed class SpareStore(PostgresDatabase database, SandboxReservations reservations, WorkerLease lease, SandboxOptions options, WakeUps wakeUps)
{
    static readonly CrashPoint Reserving = new("spare.reserve");
    static readonly CrashPoint Offering = new("spare.offer");
    static readonly CrashPoint GivingUp = new("spare.give_up");
    static readonly CrashPoint Recycling = new("spare.recycle");

    /// <summary>
    /// Gives a thread without a folder here the oldest spare of the host, whose folder and uid become the thread's. Two threads that ask at once get two. The
    /// caller's transaction must hold the thread's lock.
    /// </summary>
    /// <returns>The sandbox's id; null where the thread has a folder or there is no spare.</returns>
    public static Task<string?> Take(SqlSession session, string hostId, string threadKey, string? harness, CancellationToken cancellationToken) =>
        session.First(
            $"""
            with oldest as (
                select sandbox_id from sandboxes
                where host_id = {hostId} and state = 'spare'
                  and not exists (select 1 from thread_folders where thread_key = {threadKey} and host_id = {hostId})
                order by created_at
                limit 1
                for update skip locked
            ), taken as (
                update sandboxes s
                set state = 'starting', thread_key = {threadKey}, harness = {harness}, fencing_generation = fencing_generation + 1, updated_at = clock_timestamp()
                from oldest where s.sandbox_id = oldest.sandbox_id
                returning s.sandbox_id, s.folder, s.jail_uid
            ), folder as (
                insert into thread_folders (thread_key, host_id, folder, jail_uid) select {threadKey}, {hostId}, folder, jail_uid from taken
            )
            select sandbox_id from taken
            """,
            row => row.GetString(0),
            cancellationToken);

    /// <summary>Reserves as many spares as the pool lacks. Servers of one host take turns, so that the pool is never overfull.</summary>
    public Task<IReadOnlyList<SandboxRow>> Replenish(CancellationToken cancellationToken) =>
        database.InTransaction(
            Reserving,
            async session =>
            {
                await session.Execute($"select pg_advisory_xact_lock(hashtext({"warm-pool:" + lease.HostId}))", cancellationToken);
                var there = await session.First(
                    $"select count(*)::int from sandboxes where host_id = {lease.HostId} and thread_key is null and state in ('starting', 'spare')",
                    row => row.GetInt32(0),
                    cancellationToken);
                IReadOnlyList<SandboxRow> made = [];
                for (var missing = options.WarmPool.Size - there; missing > 0; missing--)
                    made = [.. made, await Insert(session, cancellationToken)];
                session.AfterCommit(() => wakeUps.Raise(Topics.WarmPool));
                return made;
            },
            keep: made => made.Count > 0,
            cancellationToken);

    /// <summary>Spares of this host that are reserved and have not been offered: whoever reserved them may have been killed.</summary>
    public Task<IReadOnlyList<SandboxRow>> Starting(CancellationToken cancellationToken) => Of("starting", cancellationToken);

    /// <summary>Spares that a thread may take.</summary>
    public Task<IReadOnlyList<SandboxRow>> Ready(CancellationToken cancellationToken) => Of("spare", cancellationToken);

    /// <summary>Offers a spare that is up to threads.</summary>
    /// <param name="spare">As it was reserved.</param>
    /// <param name="policyVersion">The version of the deny-all policy that its proxy has acknowledged.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public Task Offer(SandboxRow spare, long policyVersion, CancellationToken cancellationToken) =>
        database.Write(
            Offering,
            $"""
            update sandboxes set state = 'spare', policy_version = {policyVersion}, updated_at = clock_timestamp()
            where sandbox_id = {spare.SandboxId} and fencing_generation = {spare.FencingGeneration} and state = 'starting' and thread_key is null
            """,
            cancellationToken);

    /// <summary>Withdraws a spare that died; whoever ends sandboxes finds out why, and gives back what it still holds. False where a thread has taken it.</summary>
    public async Task<bool> GiveUp(SandboxRow spare, CancellationToken cancellationToken)
    {
        var given = await database.Write(
            GivingUp,
            $"""
            update sandboxes set state = 'stopping', updated_at = clock_timestamp()
            where sandbox_id = {spare.SandboxId} and fencing_generation = {spare.FencingGeneration} and state = 'spare'
            """,
            cancellationToken) == 1;
        if (given)
            wakeUps.Raise(Topics.Sandboxes);
        return given;
    }

    /// <summary>Tells spares of this host to end: those of the age, or all.</summary>
    public async Task Recycle(TimeSpan age, CancellationToken cancellationToken)
    {
        var ended = await database.Write(
            Recycling,
            $"""
            update sandboxes
            set state = 'stopping', cause = {SandboxCauses.Recycled}, cause_text = {SandboxCauses.Sentence(SandboxCauses.Recycled)}, updated_at = clock_timestamp()
            where host_id = {lease.HostId} and thread_key is null and state in ('starting', 'spare') and created_at <= clock_timestamp() - {age}
            """,
            cancellationToken);
        if (ended > 0)
            wakeUps.Raise(Topics.Sandboxes);
    }

    /// <summary>The spares of this host that a thread may take, as operators see them.</summary>
    public Task<IReadOnlyList<SpareEntry>> List(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select left(sandbox_id, 12), extract(epoch from clock_timestamp() - created_at)::float8
            from sandboxes where host_id = {lease.HostId} and state = 'spare' order by created_at
            """,
            row => new SpareEntry(row.GetString(0), Math.Round(row.GetDouble(1), 1)),
            cancellationToken);

    Task<IReadOnlyList<SandboxRow>> Of(string state, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes where host_id = {lease.HostId} and thread_key is null and state = {state} order by created_at
            """,
            SandboxRow.Read,
            cancellationToken);

    async Task<SandboxRow> Insert(SqlSession session, CancellationToken cancellationToken)
    {
        var folder = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var uid = await reservations.AllocateUid(session, cancellationToken);
        return (await session.First(
            $"""
            insert into sandboxes (sandbox_id, host_id, state, folder, jail_uid, fencing_generation)
            values ({SandboxReservations.NewId()}, {lease.HostId}, 'starting', {folder}, {uid}, 1)
            returning sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            """,
            SandboxRow.Read,
            cancellationToken))!;
    }
}

/// <param name="SandboxId">Its first twelve characters.</param>
/// <param name="AgeS">Seconds since it was reserved.</param>
public sealed record SpareEntry(string SandboxId, double AgeS);
