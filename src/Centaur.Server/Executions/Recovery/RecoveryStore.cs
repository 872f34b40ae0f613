using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions.Recovery;

/// <summary>Every statement by which an owner tries its execution again: in place, later, or in another sandbox.</summary>
internal sealed class RecoveryStore(
    PostgresDatabase database, ExecutionClaims claims, EventStore events, SandboxReservations sandboxes, WakeUps wakeUps, ExecutionOptions options)
{
    static readonly CrashPoint Breaking = new("turn.break");
    static readonly CrashPoint Waiting = new("execution.wait");
    static readonly CrashPoint Retrying = new("execution.retry");

    /// <summary>Counts a stream that broke, and gives the turn its whole silence again.</summary>
    /// <returns>True where the turn has made progress since the stream broke before, or it had not.</returns>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task<bool> Broke(ClaimedExecution execution, CancellationToken cancellationToken) =>
        database.InTransaction(
            Breaking,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                await claims.Fence(session, execution, cancellationToken);
                return await session.First(
                    $"""
                    with before as (
                        select last_progress_at, last_stream_break_at from agent_execution_requests where execution_id = {execution.ExecutionId}
                    )
                    update agent_execution_requests e
                    set stream_break_count = stream_break_count + 1, last_stream_break_at = clock_timestamp(), updated_at = clock_timestamp(),
                        silence_deadline_at = clock_timestamp() + {options.Silence}
                    from before
                    where execution_id = {execution.ExecutionId}
                    returning before.last_stream_break_at is null or coalesce(before.last_progress_at > before.last_stream_break_at, false)
                    """,
                    row => row.GetBoolean(0),
                    cancellationToken);
            },
            cancellationToken);

    /// <summary>Gives an execution back whose stream breaks again and again: it is <c>retry_wait</c> for a while, and then whoever claims it attaches to its sandbox.</summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task Wait(ClaimedExecution execution, CancellationToken cancellationToken) =>
        database.InTransaction(
            Waiting,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                var status = await claims.Fence(session, execution, cancellationToken);
                var breaks = await session.First(
                    $"""
                    update agent_execution_requests
                    set status = case status when 'cancel_requested' then status else 'retry_wait' end, worker_id = null, updated_at = clock_timestamp(),
                        retry_at = clock_timestamp() + {options.StreamRetry}, silence_deadline_at = clock_timestamp() + {options.StreamRetry + options.Silence}
                    where execution_id = {execution.ExecutionId}
                    returning stream_break_count
                    """,
                    row => row.GetInt32(0),
                    cancellationToken);
                if (status != ExecutionStatus.CancelRequested)
                    await Append(session, execution, ExecutionStatus.RetryWait, ("stream_break_count", breaks), cancellationToken);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
            },
            cancellationToken);

    /// <summary>
    /// Queues the execution again with its turn, for a fresh sandbox: the present one is given up with it. The try that failed counts neither as a death nor as a
    /// turn that the harness has seen.
    /// </summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task Retry(ClaimedExecution execution, HarnessRetry retry, CancellationToken cancellationToken) =>
        database.InTransaction(
            Retrying,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                var status = await claims.Fence(session, execution, cancellationToken);
                await sandboxes.GiveUp(session, execution.ThreadKey, SandboxCauses.Replaced, cancellationToken);
                await session.Execute(
                    $"""
                    update sandbox_sessions set inflight_attempts = greatest(inflight_attempts - 1, 0), updated_at = now()
                    where thread_key = {execution.ThreadKey} and inflight_turn_id = {execution.TurnId}
                    """,
                    cancellationToken);
                await session.Execute(
                    $"""
                    update agent_execution_requests
                    set status = case status when 'cancel_requested' then status else 'queued' end, worker_id = null, turn_state = null, attempts = greatest(attempts - 1, 0),
                        metadata = metadata || {new Jsonb(new JsonObject { [HarnessRetry.Member] = retry.ToJson() }.ToJsonString())}, updated_at = clock_timestamp()
                    where execution_id = {execution.ExecutionId}
                    """,
                    cancellationToken);
                if (status != ExecutionStatus.CancelRequested)
                    await Append(session, execution, ExecutionStatus.Queued, ("retry", retry.ToJson()), cancellationToken);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
            },
            cancellationToken);

    Task Append(SqlSession session, ClaimedExecution execution, string status, (string Name, JsonNode? Value) more, CancellationToken cancellationToken) =>
        events.Append(session, execution.ThreadKey, execution.ExecutionId, [ExecutionStateEvent.Of(execution.ExecutionId, execution.ThreadKey, status, more)], cancellationToken);
}
