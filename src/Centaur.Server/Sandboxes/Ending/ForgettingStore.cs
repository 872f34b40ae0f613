using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;

namespace Centaur.Server.Sandboxes.Ending;

/// <summary>
/// Every statement about what has rested for long enough (contract §3, E and F): assignments that nobody uses, sessions, records of dead sandboxes, folders. Each
/// write looks again under the thread's lock, because a thread may wake up at any moment. Messages, events and executions are nobody's to forget here.
/// </summary>
internal sealed class ForgettingStore(PostgresDatabase database, WorkerLease lease, SandboxOptions options)
{
    static readonly CrashPoint Releasing = new("assignment.release");
    static readonly CrashPoint Forgetting = new("sandbox.forget");
    static readonly CrashPoint ForgettingSession = new("sandbox.forget_session");
    static readonly CrashPoint ForgettingFolder = new("sandbox.forget_folder");

    /// <summary>Threads whose assignment has no sandbox any more, and that nobody has used for longer than a sandbox may be idle.</summary>
    public Task<IReadOnlyList<string>> IdleAssignments(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select a.thread_key from agent_runtime_assignments a
            where a.state = 'active' and a.updated_at < clock_timestamp() - {options.IdleTtl}
              and not exists (select 1 from sandboxes x where x.thread_key = a.thread_key and x.state <> 'dead')
              and not exists (select 1 from agent_message_requests m where m.thread_key = a.thread_key and m.delivered_execution_id is null)
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = a.thread_key and (e.completed_at is null or e.completed_at > clock_timestamp() - {options.IdleTtl}))
            order by a.updated_at
            limit 64
            """,
            row => row.GetString(0),
            cancellationToken);

    /// <summary>Releases such an assignment. With it end the tokens of its generation; the thread's next spawn makes another.</summary>
    /// <returns>False where the thread is in use again.</returns>
    public Task<bool> ReleaseIdle(string threadKey, CancellationToken cancellationToken) =>
        database.InTransaction(
            Releasing,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                return await session.Execute(
                    $"""
                    update agent_runtime_assignments a
                    set state = 'released', released_at = now(), updated_at = now()
                    where a.thread_key = {threadKey} and a.state = 'active' and a.updated_at < clock_timestamp() - {options.IdleTtl}
                      and not exists (select 1 from sandboxes x where x.thread_key = a.thread_key and x.state <> 'dead')
                      and not exists (select 1 from agent_message_requests m where m.thread_key = a.thread_key and m.delivered_execution_id is null)
                      and not exists (
                          select 1 from agent_execution_requests e
                          where e.thread_key = a.thread_key and (e.completed_at is null or e.completed_at > clock_timestamp() - {options.IdleTtl}))
                    """,
                    cancellationToken) == 1;
            },
            keep: released => released,
            cancellationToken);

    /// <summary>Dead sandboxes of this host whose record has been kept long enough.</summary>
    public Task<IReadOnlyList<SandboxRow>> Expired(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes
            where host_id = {lease.HostId} and state = 'dead' and cleared_at is not null and ended_at < clock_timestamp() - {options.SuspendedRetention}
            limit 64
            """,
            SandboxRow.Read,
            cancellationToken);

    public Task Forget(SandboxRow sandbox, CancellationToken cancellationToken) =>
        database.Write(Forgetting, $"delete from sandboxes where sandbox_id = {sandbox.SandboxId} and state = 'dead'", cancellationToken);

    /// <summary>Threads whose session is over: stopped and gone ones soon, suspended ones late, because they are meant to be returned to.</summary>
    public Task<IReadOnlyList<string>> ExpiredSessions(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select s.thread_key from sandbox_sessions s
            where (s.state in ('stopped', 'gone') and s.updated_at < clock_timestamp() - {options.StoppedRetention}
                   or s.state = 'suspended' and s.updated_at < clock_timestamp() - {options.SuspendedRetention})
              and not exists (select 1 from sandboxes x where x.thread_key = s.thread_key and x.state <> 'dead')
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = s.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
            order by s.updated_at
            limit 64
            """,
            row => row.GetString(0),
            cancellationToken);

    /// <summary>Forgets a thread's session: its harness begins a new conversation with the next turn.</summary>
    public Task ForgetSession(string threadKey, CancellationToken cancellationToken) =>
        database.InTransaction(
            ForgettingSession,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                await session.Execute(
                    $"""
                    delete from sandbox_sessions s
                    where s.thread_key = {threadKey}
                      and (s.state in ('stopped', 'gone') and s.updated_at < clock_timestamp() - {options.StoppedRetention}
                           or s.state = 'suspended' and s.updated_at < clock_timestamp() - {options.SuspendedRetention})
                      and not exists (select 1 from sandboxes x where x.thread_key = s.thread_key and x.state <> 'dead')
                      and not exists (
                          select 1 from agent_execution_requests e
                          where e.thread_key = s.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
                    """,
                    cancellationToken);
            },
            cancellationToken);

    /// <summary>Folders of this host whose thread has neither a session nor a record of a sandbox left.</summary>
    public Task<IReadOnlyList<RestingFolder>> ExpiredFolders(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select f.thread_key, f.folder from thread_folders f
            where f.host_id = {lease.HostId} and f.created_at < clock_timestamp() - {options.SuspendedRetention}
              and not exists (select 1 from sandbox_sessions s where s.thread_key = f.thread_key)
              and not exists (select 1 from sandboxes x where x.thread_key = f.thread_key)
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = f.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
            order by f.created_at
            limit 64
            """,
            row => new RestingFolder(row.GetString(0), row.GetString(1)),
            cancellationToken);

    /// <summary>Forgets a folder after it was removed, under the thread's lock: nothing can start on it meanwhile.</summary>
    public Task ForgetFolder(RestingFolder folder, Func<Task> remove, CancellationToken cancellationToken) =>
        database.InTransaction(
            ForgettingFolder,
            async session =>
            {
                await session.LockThread(folder.ThreadKey, cancellationToken);
                var wanted = await session.First(
                    $"""
                    select exists (select 1 from sandbox_sessions s where s.thread_key = {folder.ThreadKey})
                        or exists (select 1 from sandboxes x where x.thread_key = {folder.ThreadKey})
                    """,
                    row => row.GetBoolean(0),
                    cancellationToken);
                if (wanted)
                    return;
                await remove();
                await session.Execute($"delete from thread_folders where thread_key = {folder.ThreadKey} and host_id = {lease.HostId}", cancellationToken);
            },
            cancellationToken);
}

/// <param name="ThreadKey">Whose folder it is.</param>
/// <param name="Folder">Its name.</param>
internal sealed record RestingFolder(string ThreadKey, string Folder);
