using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;

namespace Centaur.Server.Sandboxes;

/// <summary>Every statement of an owner about its sandboxes. Each repeats the fencing generation; zero rows changed means that somebody else owns it now.</summary>
internal sealed class SandboxStore(PostgresDatabase database, WorkerLease lease)
{
    static readonly CrashPoint Claiming = new("sandbox.claim");
    static readonly CrashPoint Identifying = new("sandbox.identify");
    static readonly CrashPoint Burying = new("sandbox.bury");
    /// <summary>Takes over the live sandbox of a thread on this host, raising its fencing generation. Null when the thread has none here.</summary>
    public Task<SandboxRow?> Claim(string threadKey, CancellationToken cancellationToken) =>
        database.Write(
            Claiming,
            $"""
            update sandboxes
            set worker_id = {lease.WorkerId}, fencing_generation = fencing_generation + 1, updated_at = now(),
                jail_uid = coalesce(jail_uid, (select f.jail_uid from thread_folders f where f.thread_key = {threadKey} and f.host_id = {lease.HostId}))
            where thread_key = {threadKey} and host_id = {lease.HostId} and state in ('starting', 'claimed')
              and exists (select 1 from workers w where w.worker_id = {lease.WorkerId} and w.lease_expires_at > clock_timestamp() for share)
            returning sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            """,
            SandboxRow.Read,
            cancellationToken);

    /// <summary>Sandboxes of this host that are wanted and have not had their identity yet.</summary>
    public Task<IReadOnlyList<SandboxRow>> Starting(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes
            where host_id = {lease.HostId} and state = 'starting' and thread_key is not null
            order by created_at
            limit 16
            """,
            SandboxRow.Read,
            cancellationToken);

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

    /// <summary>Gives up a sandbox; the thread's next turn gets another one on the same folder.</summary>
    public async Task<bool> Bury(SandboxRow sandbox, string cause, CancellationToken cancellationToken) =>
        await database.Write(
            Burying,
            $"""
            update sandboxes
            set state = 'dead', cause = {cause}, ended_at = now(), updated_at = now()
            where sandbox_id = {sandbox.SandboxId} and fencing_generation = {sandbox.FencingGeneration} and state <> 'dead'
            """,
            cancellationToken) == 1;

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
