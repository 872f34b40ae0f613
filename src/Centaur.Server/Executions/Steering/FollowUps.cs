using System.Text.Json.Nodes;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Steering;

/// <summary>
/// A message that was sent into a turn, and came too late for it, is answered all the same: the turn's end queues the next one, with the same delivery. One turn
/// takes all that waits.
/// </summary>
internal sealed class FollowUps(ExecutionStore executions, EventStore events, DeliveryOutbox deliveries, WakeUps wakeUps, ExecutionOptions options)
{
    /// <summary>In the transaction that ends the execution, or that stores a message for one that has ended; it must hold the thread's lock.</summary>
    public async Task Queue(SqlSession session, string endedExecutionId, CancellationToken cancellationToken)
    {
        var ended = await session.First(
            $"""
            select e.thread_key, e.assignment_generation, e.delivery::text, e.metadata::text
            from agent_execution_requests e
            where e.execution_id = {endedExecutionId}
              and exists (select from agent_message_requests m where m.steers_execution_id = e.execution_id and m.delivered_execution_id is null)
              and exists (
                  select from agent_runtime_assignments a
                  where a.thread_key = e.thread_key and a.assignment_generation = e.assignment_generation and a.state = 'active')
              and not exists (select from agent_execution_requests q where q.thread_key = e.thread_key and q.status = 'queued')
            """,
            row => (ThreadKey: row.GetString(0), Generation: row.GetInt32(1), Delivery: row.GetString(2), Metadata: row.GetString(3)),
            cancellationToken);
        if (ended.ThreadKey is null)
            return;

        var executionId = ThreadRequest.NewId("exe_");
        // Clients choose the ids of theirs: this one nobody can have chosen.
        var executeId = ThreadRequest.NewId("steer-");
        var metadata = JsonNode.Parse(ended.Metadata)!.AsObject();
        var delivery = JsonNode.Parse(ended.Delivery)!.AsObject();
        await executions.Insert(
            session, new NewExecution(executionId, ended.ThreadKey, ended.Generation, executeId, "", delivery, metadata), options, cancellationToken);
        await deliveries.Open(session, executionId, ended.ThreadKey, delivery, metadata, cancellationToken);
        await events.Append(
            session, ended.ThreadKey, executionId,
            [ExecutionStateEvent.Of(executionId, ended.ThreadKey, ExecutionStatus.Queued, ("execute_id", executeId), ("assignment_generation", ended.Generation))],
            cancellationToken);
        session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
    }
}
