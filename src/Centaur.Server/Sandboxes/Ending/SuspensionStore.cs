using Centaur.Server.Platform.Database;

namespace Centaur.Server.Sandboxes.Ending;

/// <summary>
/// Statements that tell an unused sandbox to end, in a transaction of the caller that holds the thread's lock: executions are queued under the same lock, so a
/// thread with a live or queued one never loses its sandbox.
/// </summary>
internal static class SuspensionStore
{
    /// <summary>Marks the sandbox as stopping and its thread's session as suspended. The thread's next turn starts another on the same folder.</summary>
    /// <param name="session">Holds the thread's lock.</param>
    /// <param name="sandbox">As it was looked at: one that was claimed since is in use.</param>
    /// <param name="cause">One of <see cref="SandboxCauses"/>; null where its journal says it.</param>
    /// <param name="cancellationToken">Cancels the writes.</param>
    /// <returns>False where the sandbox is in use again, or ends already.</returns>
    public static async Task<bool> Suspend(SqlSession session, SandboxRow sandbox, string? cause, CancellationToken cancellationToken)
    {
        var text = cause is null ? null : SandboxCauses.Sentence(cause);
        var marked = await session.Execute(
            $"""
            update sandboxes
            set state = 'stopping', cause = {cause}, cause_text = {text}, updated_at = clock_timestamp()
            where sandbox_id = {sandbox.SandboxId} and fencing_generation = {sandbox.FencingGeneration} and state in ('starting', 'claimed')
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = {sandbox.ThreadKey} and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
            """,
            cancellationToken);
        if (marked == 0)
            return false;
        await session.Execute(
            $"""
            update sandbox_sessions
            set state = 'suspended', inflight_turn_id = null, inflight_turn_input = null, updated_at = now()
            where thread_key = {sandbox.ThreadKey} and state in ('running', 'idle', 'delivering', 'error')
            """,
            cancellationToken);
        return true;
    }

    /// <summary>
    /// Makes room on a host before one more is reserved: suspends the longest unused ones until there are fewer than the most. A thread whose lock somebody
    /// holds is in use, and is passed over instead of waited for.
    /// </summary>
    public static async Task MakeRoom(SqlSession session, string hostId, int most, CancellationToken cancellationToken)
    {
        var live = await session.First(
            $"select count(*) from sandboxes where host_id = {hostId} and thread_key is not null and state in ('starting', 'claimed')", row => row.GetInt64(0), cancellationToken);
        if (live < most)
            return;
        var unused = await session.Query(
            $"""
            select sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder
            from sandboxes s
            where s.host_id = {hostId} and s.thread_key is not null and s.state in ('starting', 'claimed')
              and not exists (
                  select 1 from agent_execution_requests e
                  where e.thread_key = s.thread_key and e.status in ('queued', 'running', 'cancel_requested', 'retry_wait'))
            order by s.updated_at
            limit {live - most + 16}
            """,
            SandboxRow.Read,
            cancellationToken);
        foreach (var sandbox in unused)
        {
            if (live < most)
                return;
            var free = await session.First($"select pg_try_advisory_xact_lock(hashtext({sandbox.ThreadKey}))", row => row.GetBoolean(0), cancellationToken);
            if (free && await Suspend(session, sandbox, SandboxCauses.Capacity, cancellationToken))
                live--;
        }
    }
}
