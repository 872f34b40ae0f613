using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Sandboxes;

/// <summary>Every statement of an owner about its sandboxes. Each repeats the fencing generation; zero rows changed means that somebody else owns it now.</summary>
internal sealed class SandboxStore(PostgresDatabase database, WorkerLease lease, WakeUps wakeUps)
{
    /// <summary>So many failures to start ahead of a turn bury a sandbox; the turn itself then tries a new one.</summary>
    const int MaxStartFailures = 3;
    static readonly TimeSpan BetweenStarts = TimeSpan.FromSeconds(5);
    static readonly CrashPoint Claiming = new("sandbox.claim");
    static readonly CrashPoint Identifying = new("sandbox.identify");
    static readonly CrashPoint Burying = new("sandbox.bury");
    static readonly CrashPoint Failing = new("sandbox.start_failed");

    /// <summary>
    /// Takes over the live sandbox of a thread on this host, raising its fencing generation. Null when the thread has none here, or when an earlier one of it
    /// is still being ended: two must never use one folder.
    /// </summary>
    public Task<SandboxRow?> Claim(string threadKey, CancellationToken cancellationToken) =>
        database.Write(
            Claiming,
            $"""
            update sandboxes
            set worker_id = {lease.WorkerId}, fencing_generation = fencing_generation + 1, updated_at = now(),
                jail_uid = coalesce(jail_uid, (select f.jail_uid from thread_folders f where f.thread_key = {threadKey} and f.host_id = {lease.HostId}))
            where thread_key = {threadKey} and host_id = {lease.HostId} and state in ('starting', 'claimed')
              and exists (select 1 from workers w where w.worker_id = {lease.WorkerId} and w.lease_expires_at > clock_timestamp() for share)
              and not exists (select 1 from sandboxes_ending o where o.thread_key = {threadKey} and o.host_id = {lease.HostId})
            returning sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>
    /// Sandboxes of this host that are wanted and have not had their identity yet. One that failed to start comes again after a pause; one whose folder an earlier
    /// sandbox still uses is left to its turn.
    /// </summary>
    /// <param name="perUser">True where each sandbox has a user of its own: one without waits for its folder's.</param>
    /// <param name="cancellationToken">Cancels the look.</param>
    public Task<IReadOnlyList<SandboxRow>> Starting(bool perUser, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes s
            where host_id = {lease.HostId} and state = 'starting' and thread_key is not null and (jail_uid is not null or not {perUser})
              and (start_failures = 0 or updated_at < clock_timestamp() - {BetweenStarts})
              and not exists (select 1 from sandboxes_ending o where o.thread_key = s.thread_key and o.host_id = s.host_id)
            order by created_at
            limit 1000
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Counts a start that failed ahead of its turn, and gives the sandbox up after a few.</summary>
    public async Task StartFailed(SandboxRow sandbox, string message, CancellationToken cancellationToken)
    {
        await database.Write(
            Failing,
            $"""
            update sandboxes
            set start_failures = start_failures + 1, cause_text = {message}, updated_at = clock_timestamp(),
                state = case when start_failures + 1 >= {MaxStartFailures} then 'dead' else state end,
                cause = case when start_failures + 1 >= {MaxStartFailures} then 'start_failed' end,
                ended_at = case when start_failures + 1 >= {MaxStartFailures} then clock_timestamp() end
            where sandbox_id = {sandbox.SandboxId} and fencing_generation = {sandbox.FencingGeneration} and state = 'starting'
            """,
            cancellationToken);
        wakeUps.Raise(Topics.Sandboxes);
    }

    /// <summary>Records that the sandbox has its identity and that its proxy has acknowledged this policy.</summary>
    public async Task<bool> Identified(SandboxRow sandbox, string harness, long policyVersion, CancellationToken cancellationToken) =>
        await database.Write(
            Identifying,
            $"""
            update sandboxes
            set state = 'claimed', harness = {harness}, policy_version = {policyVersion}, updated_at = now()
            where sandbox_id = {sandbox.SandboxId} and fencing_generation = {sandbox.FencingGeneration} and state in ('starting', 'claimed')
            """,
            cancellationToken) == 1;

    /// <summary>Gives up a sandbox; the thread's next turn gets another one on the same folder. Whoever clears up after the dead is woken.</summary>
    /// <param name="sandbox">As this owner claimed it.</param>
    /// <param name="cause">One word, kept where the sandbox was told to stop for a cause of its own.</param>
    /// <param name="text">The same as a sentence.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async Task<bool> Bury(SandboxRow sandbox, string cause, string text, CancellationToken cancellationToken)
    {
        var buried = await database.Write(
            Burying,
            $"""
            update sandboxes
            set state = 'dead', cause = coalesce(cause, {cause}), cause_text = case when cause is null then {text} else coalesce(cause_text, {text}) end,
                ended_at = clock_timestamp(), updated_at = clock_timestamp()
            where sandbox_id = {sandbox.SandboxId} and fencing_generation = {sandbox.FencingGeneration} and state <> 'dead'
            """,
            cancellationToken) == 1;
        if (buried)
            wakeUps.Raise(Topics.Sandboxes);
        return buried;
    }

    /// <summary>
    /// Advances the cursor by compare-and-set inside the transaction that stores what was made from the frames: a frame is stored once, however often it is read.
    /// Changes one row, or none where somebody else has moved it.
    /// </summary>
    public static Sql Advance(SandboxRow sandbox, long from, long to) =>
        Sql.Of(
            $"""
            update sandboxes
            set last_seq = {to}, updated_at = now()
            where sandbox_id = {sandbox.SandboxId} and last_seq = {from} and fencing_generation = {sandbox.FencingGeneration}
            """);
}
