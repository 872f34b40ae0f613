using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Server.Executions.Steering;

/// <summary>
/// Every statement about messages that steer a running turn. Such a message is an ordinary one that names an execution: applied, it belongs to that execution;
/// else it waits for the thread's next turn, like all others.
/// </summary>
internal sealed class SteerStore(PostgresDatabase database, ExecutionClaims claims, EventStore events)
{
    static readonly CrashPoint Settling = new("turn.steer");

    /// <summary>Names the execution that a stored message is meant for.</summary>
    public Task<int> Aim(SqlSession session, string threadKey, string messageId, string executionId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update agent_message_requests set steers_execution_id = {executionId}
            where thread_key = {threadKey} and message_id = {messageId} and delivered_execution_id is null and steers_execution_id is null
            """,
            cancellationToken);

    /// <summary>Notes that this message takes the place of what the execution would say: should the execution be cancelled after it, nothing of that is delivered.</summary>
    public Task Replace(SqlSession session, string executionId, string messageId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update agent_execution_requests
            set metadata = metadata || jsonb_build_object('steer_replacement', jsonb_build_object('message_id', {messageId}, 'suppress_cancellation_delivery', true))
            where execution_id = {executionId} and completed_at is null
            """,
            cancellationToken);

    /// <summary>Aims whatever waits on the thread at the execution.</summary>
    /// <returns>The last message's id, or null where none waits.</returns>
    public async Task<string?> AimWaiting(SqlSession session, string threadKey, string executionId, CancellationToken cancellationToken)
    {
        var aimed = await session.Query(
            $"""
            update agent_message_requests set steers_execution_id = {executionId}
            where thread_key = {threadKey} and delivered_execution_id is null
            returning message_id, created_at
            """,
            row => (Id: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken);
        return aimed.OrderBy(m => m.At).ThenBy(m => m.Id, StringComparer.Ordinal).Select(m => m.Id).LastOrDefault();
    }

    /// <summary>Messages aimed at the execution that no harness has had, in order.</summary>
    public Task<IReadOnlyList<UndeliveredMessage>> Waiting(string executionId, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select message_id, event_json::text, metadata::text, created_at
            from agent_message_requests
            where steers_execution_id = {executionId} and delivered_execution_id is null and steer_receipt is null
            order by created_at, message_id
            """,
            row => new UndeliveredMessage(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3)),
            cancellationToken);

    /// <summary>What became of a message, or null while nobody knows.</summary>
    public Task<string?> Receipt(string threadKey, string messageId, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select coalesce(m.steer_receipt, case when m.delivered_execution_id is not null or e.status = 'queued' or e.completed_at is not null then 'queued' end)
            from agent_message_requests m left join agent_execution_requests e on e.execution_id = m.steers_execution_id
            where m.thread_key = {threadKey} and m.message_id = {messageId}
            """,
            row => row.IsDBNull(0) ? null : row.GetString(0),
            cancellationToken);

    /// <summary>
    /// Records what the harness did with the message. An applied one becomes part of the turn's saved input, so that a replay in another sandbox has it too.
    /// </summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public Task Settle(ClaimedExecution execution, UndeliveredMessage message, string receipt, CancellationToken cancellationToken) =>
        database.InTransaction(
            Settling,
            async session =>
            {
                await session.LockThread(execution.ThreadKey, cancellationToken);
                await claims.Fence(session, execution, cancellationToken);
                var applied = receipt == SteerReceipts.Applied;
                await session.Execute(
                    $"""
                    update agent_message_requests
                    set steer_receipt = {receipt}, delivered_execution_id = case when {applied} then {execution.ExecutionId} end
                    where thread_key = {execution.ThreadKey} and message_id = {message.MessageId} and delivered_execution_id is null
                    """,
                    cancellationToken);
                if (applied)
                {
                    await session.Execute(
                        $"""
                        update sandbox_sessions
                        set inflight_turn_input = jsonb_set(inflight_turn_input, array['content'], (inflight_turn_input -> 'content') || {new Jsonb(TurnEnvelope.Content([message]).ToJsonString())}),
                            last_delivered_id = {message.MessageId}, updated_at = now()
                        where thread_key = {execution.ThreadKey} and inflight_turn_id = {execution.TurnId}
                        """,
                        cancellationToken);
                }
                await events.Append(
                    session, execution.ThreadKey, execution.ExecutionId,
                    [
                        new NewEvent(EventKinds.ExecutionSteered, new JsonObject
                        {
                            ["type"] = "execution.steered", ["execution_id"] = execution.ExecutionId, ["thread_key"] = execution.ThreadKey, ["message_id"] = message.MessageId, ["receipt"] = receipt,
                        }.ToJsonString()),
                    ],
                    cancellationToken);
            },
            cancellationToken);
}

/// <summary>What a sender is told of a steering message.</summary>
internal static class SteerReceipts
{
    /// <summary>The running harness has it and reads it at its next step.</summary>
    public const string Applied = "applied";

    /// <summary>The thread's next turn has it.</summary>
    public const string Queued = "queued";

    /// <summary>It is stored, and it is not known yet which of both it will be.</summary>
    public const string Pending = "pending";
}
