using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes.Ending;

/// <summary>Every statement about sandboxes whose time has come, on this host and on hosts that are gone.</summary>
internal sealed class EndingStore(PostgresDatabase database, WorkerLease lease, SandboxOptions options, WakeUps wakeUps)
{
    static readonly CrashPoint TakingOver = new("sandbox.take_over");
    static readonly CrashPoint Suspending = new("sandbox.suspend");
    static readonly CrashPoint GivingUp = new("sandbox.give_up");
    static readonly CrashPoint Clearing = new("sandbox.clear");

    /// <summary>Sandboxes of this host that were told to end and have not.</summary>
    public Task<IReadOnlyList<SandboxRow>> Stopping(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes where host_id = {lease.HostId} and state = 'stopping' order by updated_at limit 64
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Takes a stopping sandbox over at a new fencing generation: whoever ran a turn in it can write nothing more. Null where somebody else ended it.</summary>
    public Task<SandboxRow?> TakeOver(SandboxRow sandbox, CancellationToken cancellationToken) =>
        database.Write(
            TakingOver,
            $"""
            update sandboxes
            set worker_id = {lease.WorkerId}, fencing_generation = fencing_generation + 1, updated_at = clock_timestamp()
            where sandbox_id = {sandbox.SandboxId} and state = 'stopping'
              and exists (select 1 from workers w where w.worker_id = {lease.WorkerId} and w.lease_expires_at > clock_timestamp() for share)
            returning sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>
    /// Sandboxes of this host that no execution wants now. One that is only starting counts once it has had its time: its keeper may be about to listen.
    /// </summary>
    public Task<IReadOnlyList<SandboxRow>> Unused(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes s
            where s.host_id = {lease.HostId} and s.thread_key is not null
              and (s.state = 'claimed' or s.state = 'starting' and s.updated_at < clock_timestamp() - {options.StartLimit})
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = s.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Sandboxes of this host that have not been used for longer than their time, the longest first.</summary>
    public Task<IReadOnlyList<SandboxRow>> Idle(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select s.sandbox_id, s.thread_key, s.state, s.fencing_generation, s.last_seq, s.policy_version, s.jail_uid, s.folder
            from sandboxes s
            left join lateral (
                select e.status, e.completed_at, e.delivery->>'platform' as platform
                from agent_execution_requests e where e.thread_key = s.thread_key order by e.created_at desc limit 1) last on true
            where s.host_id = {lease.HostId} and s.thread_key is not null and s.state in ('starting', 'claimed')
              and (last.status is null or last.status in ('completed', 'failed_permanent', 'cancelled'))
              and greatest(s.updated_at, last.completed_at) < clock_timestamp() - case last.platform when 'dev' then {options.DevIdleTtl} else {options.IdleTtl} end
            order by greatest(s.updated_at, last.completed_at)
            limit 64
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Tells an unused sandbox to end; see <see cref="SuspensionStore.Suspend"/>.</summary>
    public Task<bool> Suspend(SandboxRow sandbox, string? cause, CancellationToken cancellationToken) =>
        database.InTransaction(
            Suspending,
            async session =>
            {
                await session.LockThread(sandbox.ThreadKey!, cancellationToken);
                session.AfterCommit(() => wakeUps.Raise(Topics.Sandboxes));
                return await SuspensionStore.Suspend(session, sandbox, cause, cancellationToken);
            },
            keep: suspended => suspended,
            cancellationToken);

    /// <summary>Sandboxes of other hosts none of whose servers has shown a sign of life for so long that nobody counts on it any more.</summary>
    public Task<IReadOnlyList<SandboxRow>> OfGoneHosts(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes s
            where s.host_id <> {lease.HostId} and s.state <> 'dead'
              and not exists (select 1 from workers w where w.host_id = s.host_id and w.lease_expires_at > clock_timestamp() - {options.HostGone})
            order by s.updated_at
            limit 64
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Gives up a sandbox of a host that is gone; what its thread has queued may run elsewhere. Should the host come back, it ends what still runs there.</summary>
    public Task<bool> GiveUp(SandboxRow sandbox, CancellationToken cancellationToken) =>
        database.InTransaction(
            GivingUp,
            async session =>
            {
                if (sandbox.ThreadKey is { } threadKey)
                    await session.LockThread(threadKey, cancellationToken);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
                if (await session.Execute(
                    $"""
                    update sandboxes s
                    set state = 'dead', cause = {SandboxCauses.HostGone}, cause_text = {SandboxCauses.Sentence(SandboxCauses.HostGone)}, worker_id = null,
                        fencing_generation = fencing_generation + 1, ended_at = clock_timestamp(), updated_at = clock_timestamp()
                    where s.sandbox_id = {sandbox.SandboxId} and s.state <> 'dead'
                      and not exists (select 1 from workers w where w.host_id = s.host_id and w.lease_expires_at > clock_timestamp() - {options.HostGone})
                    """,
                    cancellationToken) == 0)
                {
                    return false;
                }
                await session.Execute(
                    $"""
                    update sandbox_sessions s
                    set state = 'gone', inflight_turn_id = null, inflight_turn_input = null, updated_at = now()
                    where s.thread_key = {sandbox.ThreadKey} and s.state in ('running', 'idle', 'delivering', 'error', 'suspended')
                      and not exists (
                          select 1 from agent_execution_requests e
                          where e.thread_key = s.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
                    """,
                    cancellationToken);
                return true;
            },
            keep: given => given,
            cancellationToken);

    /// <summary>Dead sandboxes of this host of which something may be left, in no order: those that cannot be cleared now must not stand in the way of the others.</summary>
    public Task<IReadOnlyList<SandboxRow>> Uncleared(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes where host_id = {lease.HostId} and state = 'dead' and cleared_at is null order by random() limit 64
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Nothing is left of it; whoever waits for the thread's folder is woken.</summary>
    public async Task Cleared(SandboxRow sandbox, CancellationToken cancellationToken)
    {
        await database.Write(
            Clearing, $"update sandboxes set cleared_at = clock_timestamp() where sandbox_id = {sandbox.SandboxId} and state = 'dead'", cancellationToken);
        wakeUps.Raise(Topics.Sandboxes);
    }

    /// <summary>Which of these sandboxes have a row that does not say that nothing is left of them.</summary>
    public async Task<IReadOnlySet<string>> Known(IReadOnlyCollection<string> sandboxIds, CancellationToken cancellationToken) =>
        (await database.Query($"select sandbox_id from sandboxes where sandbox_id = any ({sandboxIds.ToArray()}) and cleared_at is null", row => row.GetString(0), cancellationToken))
        .ToHashSet(StringComparer.Ordinal);
}
