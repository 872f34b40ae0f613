using System.Security.Cryptography;
using System.Text;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes.Ending;
using Centaur.Server.Sandboxes.Pool;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// Gives a thread its sandbox's name before there is a sandbox: the row says what is wanted, the lifecycle makes it so. A thread that has a live sandbox keeps it;
/// a thread without a folder gets a spare one, whose folder becomes its own; else a row <c>starting</c> is written for this host, on the folder and the uid that
/// the thread has had here from its first sandbox on.
/// </summary>
public sealed class SandboxReservations(PostgresDatabase database, HostIdentity host, SandboxOptions options, WakeUps wakeUps)
{
    static readonly CrashPoint Reserving = new("sandbox.reserve");
    const int UidStep = 2;

    /// <summary>In the caller's transaction, which must hold the thread's lock. The lifecycle is woken once it has committed.</summary>
    /// <returns>The sandbox's id.</returns>
    public async Task<string> Reserve(SqlSession session, string threadKey, string? harness, CancellationToken cancellationToken)
    {
        var live = await session.First(
            $"select sandbox_id from sandboxes where thread_key = {threadKey} and state in ('starting', 'claimed')", row => row.GetString(0), cancellationToken);
        if (live is not null)
            return live;

        session.AfterCommit(() => wakeUps.Raise(Topics.Sandboxes));
        if (options.MaxActive > 0)
            await SuspensionStore.MakeRoom(session, host.HostId, options.MaxActive, cancellationToken);
        if (await SpareStore.Take(session, host.HostId, threadKey, harness, cancellationToken) is { } spare)
            return spare;
        var (folder, uid) = await FolderOf(session, threadKey, cancellationToken);
        var sandboxId = NewId();
        // An older sandbox of the thread may still be stopping under this uid; the row then has none, and takes the folder's when the older one is dead.
        await session.Execute(
            $"""
            insert into sandboxes (sandbox_id, host_id, thread_key, harness, state, folder, jail_uid)
            select {sandboxId}, {host.HostId}, {threadKey}, {harness}, 'starting', {folder},
                   case when exists (select from sandboxes where host_id = {host.HostId} and jail_uid = {uid} and state <> 'dead') then null else {uid} end
            """,
            cancellationToken);
        return sandboxId;
    }

    /// <summary>The same in a transaction of its own, for a turn whose thread lost its sandbox; the active assignment follows.</summary>
    public Task<string> Reserve(string threadKey, CancellationToken cancellationToken) =>
        database.InTransaction(
            Reserving,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                var harness = await session.First(
                    $"select harness from agent_runtime_assignments where thread_key = {threadKey} and state = 'active'", row => row.GetString(0), cancellationToken);
                var sandboxId = await Reserve(session, threadKey, harness, cancellationToken);
                await session.Execute(
                    $"""
                    update agent_runtime_assignments set runtime_id = {sandboxId}, updated_at = now()
                    where thread_key = {threadKey} and state = 'active' and runtime_id <> {sandboxId}
                    """,
                    cancellationToken);
                return sandboxId;
            },
            cancellationToken);

    /// <summary>
    /// Gives the thread's sandbox up, in the caller's transaction, which must hold the thread's lock: the row becomes <c>stopping</c>, and the lifecycle, woken after the
    /// commit, ends it. The thread's folder stays.
    /// </summary>
    /// <returns>False where the thread has no live sandbox.</returns>
    public async Task<bool> GiveUp(SqlSession session, string threadKey, string cause, CancellationToken cancellationToken)
    {
        var given = await session.Execute(
            $"update sandboxes set state = 'stopping', cause = {cause}, updated_at = now() where thread_key = {threadKey} and state in ('starting', 'claimed')", cancellationToken);
        session.AfterCommit(() => wakeUps.Raise(Topics.Sandboxes));
        return given > 0;
    }

    /// <summary>A uid of this host that no folder and no sandbox has; null where the server is not root. The caller's transaction keeps it from others.</summary>
    public async Task<int?> AllocateUid(SqlSession session, CancellationToken cancellationToken)
    {
        if (!host.IsRoot)
            return null;
        await session.Execute($"select pg_advisory_xact_lock(hashtext({"sandbox-uids:" + host.HostId}))", cancellationToken);
        return await session.First(
            $"""
            select greatest(
                {options.FirstUid},
                {UidStep} + coalesce((select max(jail_uid) from thread_folders where host_id = {host.HostId}), 0),
                {UidStep} + coalesce((select max(jail_uid) from sandboxes where host_id = {host.HostId}), 0))
            """,
            row => row.GetInt32(0),
            cancellationToken);
    }

    /// <summary>A name that no other sandbox has.</summary>
    public static string NewId() => "sbx-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>The name of a thread's folder: its key may hold anything, a folder's name may not.</summary>
    public static string FolderName(string threadKey) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(threadKey)))[..32];

    async Task<(string Folder, int? Uid)> FolderOf(SqlSession session, string threadKey, CancellationToken cancellationToken)
    {
        var known = await session.First(
            $"select folder, jail_uid from thread_folders where thread_key = {threadKey} and host_id = {host.HostId}",
            row => (Folder: row.GetString(0), Uid: row.IsDBNull(1) ? (int?)null : row.GetInt32(1)),
            cancellationToken);
        if (known.Folder is not null)
            return known;
        var folder = FolderName(threadKey);
        var uid = await AllocateUid(session, cancellationToken);
        await session.Execute(
            $"insert into thread_folders (thread_key, host_id, folder, jail_uid) values ({threadKey}, {host.HostId}, {folder}, {uid})", cancellationToken);
        return (folder, uid);
    }
}
