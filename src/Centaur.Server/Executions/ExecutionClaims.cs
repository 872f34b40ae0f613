using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Executions;

/// <summary>Every statement by which executions change owners.</summary>
internal sealed class ExecutionClaims(PostgresDatabase database, WorkerLease lease, ExecutionOptions options, WakeUps wakeUps)
{
    static readonly CrashPoint Claiming = new("execution.claim");
    static readonly CrashPoint Reaping = new("execution.reap");
    static readonly CrashPoint Forgetting = new("worker.forget");
    static readonly CrashPoint Returning = new("execution.return");

    /// <summary>
    /// Takes the oldest execution that nobody owns, whose thread runs no other, and whose thread has no live sandbox on another host; those of a host that is gone
    /// are given up after a while.
    /// Two workers that look at the same thread at once are kept apart by the table's one-live index: the second gets nothing and looks again.
    /// </summary>
    /// <param name="workflows">False leaves the executions of workflows alone: the slots that are left are people's.</param>
    /// <param name="cancellationToken">Cancels the claim.</param>
    public Task<ClaimedExecution?> Claim(bool workflows, CancellationToken cancellationToken) =>
        database.Write(
            Claiming,
            $"""
            with me as (
                select worker_id, host_id from workers where worker_id = {lease.WorkerId} and lease_expires_at > clock_timestamp() for share
            ), candidate as (
                select e.execution_id
                from agent_execution_requests e
                where e.worker_id is null and e.status in ('queued', 'cancel_requested', 'retry_wait')
                  and ({workflows} or e.workflow_run_id is null) and (e.status <> 'retry_wait' or e.retry_at <= clock_timestamp())
                  and exists (select 1 from me)
                  and not exists (
                      select 1 from agent_execution_requests o
                      where o.thread_key = e.thread_key and o.execution_id <> e.execution_id and o.status in ('running', 'cancel_requested', 'retry_wait'))
                  and not exists (
                      select 1 from agent_execution_requests o
                      where o.thread_key = e.thread_key and o.status = 'queued' and o.created_at < e.created_at)
                  and not exists (
                      select 1 from sandboxes s where s.thread_key = e.thread_key and s.state in ('starting', 'claimed') and s.host_id <> {lease.HostId})
                order by e.created_at
                limit 1
                for update of e skip locked
            )
            update agent_execution_requests e
            set status = case e.status when 'cancel_requested' then e.status else 'running' end,
                worker_id = {lease.WorkerId},
                fencing_generation = e.fencing_generation + 1,
                claimed_at = clock_timestamp(),
                started_at = coalesce(e.started_at, clock_timestamp()),
                silence_deadline_at = clock_timestamp() + {options.Silence},
                hard_deadline_at = coalesce(e.started_at, clock_timestamp()) + {options.Hard},
                retry_at = null,
                updated_at = clock_timestamp()
            from candidate
            where e.execution_id = candidate.execution_id
            returning e.execution_id, e.thread_key, e.assignment_generation, e.status, e.fencing_generation, e.durable_turn_id, e.attempts,
                      e.turn_state::text, e.metadata::text, clock_timestamp() - e.started_at, e.workflow_run_id is not null
            """,
            ClaimedExecution.Read,
            cancellationToken);

    /// <summary>
    /// Gives back what ended leases owned. Looks only at leases, never at age (design §4): a paused owner that wakes is fenced off by the generation.
    /// </summary>
    public async Task<int> Reap(CancellationToken cancellationToken)
    {
        var freed = await database.Write(
            Reaping,
            $"""
            update agent_execution_requests e
            set status = case e.status when 'cancel_requested' then e.status else 'queued' end, worker_id = null, updated_at = clock_timestamp()
            where e.status in ('running', 'cancel_requested', 'retry_wait') and e.worker_id is not null
              and not exists (select 1 from workers w where w.worker_id = e.worker_id and w.lease_expires_at > clock_timestamp())
            """,
            cancellationToken);
        await database.Write(
            Forgetting,
            $"delete from workers where lease_expires_at < clock_timestamp() - interval '1 day'", cancellationToken);
        if (freed > 0)
            wakeUps.Raise(Topics.Executions);
        return freed;
    }

    /// <summary>Gives one execution back, unharmed, so that another worker goes on with it.</summary>
    public async Task Return(ClaimedExecution execution, CancellationToken cancellationToken)
    {
        await database.Write(
            Returning,
            $"""
            update agent_execution_requests
            set status = case status when 'cancel_requested' then status else 'queued' end, worker_id = null, updated_at = clock_timestamp()
            where execution_id = {execution.ExecutionId} and worker_id = {lease.WorkerId} and fencing_generation = {execution.FencingGeneration}
              and status in ('running', 'cancel_requested', 'retry_wait')
            """,
            cancellationToken);
        wakeUps.Raise(Topics.Executions);
    }

    /// <summary>Gives back whatever names this worker as its owner, but for what it runs.</summary>
    public async Task ReturnAllBut(IReadOnlyCollection<string> running, CancellationToken cancellationToken)
    {
        await database.Write(
            Returning,
            $"""
            update agent_execution_requests
            set status = case status when 'cancel_requested' then status else 'queued' end, worker_id = null, updated_at = clock_timestamp()
            where worker_id = {lease.WorkerId} and status in ('running', 'cancel_requested', 'retry_wait') and execution_id <> all ({running.ToArray()})
            """,
            cancellationToken);
        wakeUps.Raise(Topics.Executions);
    }

    /// <summary>
    /// The fence: locks the owner's lease and claim for the length of the transaction. Every write of an owner begins with it.
    /// </summary>
    /// <returns>The execution's status now.</returns>
    /// <exception cref="FencedException">Somebody else owns the execution, or this worker's lease has ended.</exception>
    public async Task<string> Fence(SqlSession session, ClaimedExecution execution, CancellationToken cancellationToken) =>
        await session.First(Fence(execution), row => row.GetString(0), cancellationToken) ?? throw new FencedException(execution.ExecutionId);

    /// <summary>The same as a statement, for a batch: it selects the status, or no row where somebody else owns the execution.</summary>
    public Sql Fence(ClaimedExecution execution) =>
        Sql.Of(
            $"""
            select e.status
            from agent_execution_requests e join workers w on w.worker_id = e.worker_id
            where e.execution_id = {execution.ExecutionId} and e.worker_id = {lease.WorkerId} and e.fencing_generation = {execution.FencingGeneration}
              and e.status in ('running', 'cancel_requested', 'retry_wait')
              and w.lease_expires_at > clock_timestamp()
            for share of w for update of e
            """);
}

/// <summary>This worker is no longer the owner. Nothing was written; whoever owns it now goes on. A retry never helps.</summary>
internal sealed class FencedException(string executionId) : Exception($"Execution {executionId} has another owner.");
