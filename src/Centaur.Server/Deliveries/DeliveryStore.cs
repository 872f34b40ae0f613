using System.Text.Json.Nodes;
using Centaur.Server.Deliveries.Api;
using Centaur.Server.Platform.Database;

namespace Centaur.Server.Deliveries;

/// <summary>Every statement that fills the outbox and watches it; those by which deliverers take from it are in <see cref="DeliveryClaims"/>.</summary>
public sealed class DeliveryStore(PostgresDatabase database, DeliveryOptions options)
{
    /// <summary>Where an execution's metadata says that words which steered it take the place of its answer, should it be cancelled (contract §1.5).</summary>
    internal static readonly string[] SuppressPath = ["steer_replacement", "suppress_cancellation_delivery"];

    const int Page = 100;

    internal Task Open(SqlSession session, string executionId, string threadKey, Jsonb delivery, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into agent_final_delivery_outbox (execution_id, thread_key, delivery, state)
            values ({executionId}, {threadKey}, {delivery}, 'awaiting_terminal')
            """,
            cancellationToken);

    internal Task Send(SqlSession session, string noticeId, string threadKey, Jsonb delivery, Jsonb payload, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into agent_final_delivery_outbox (execution_id, thread_key, delivery, final_payload, state, next_attempt_at, ready_at)
            values ({noticeId}, {threadKey}, {delivery}, {payload}, 'pending', clock_timestamp(), clock_timestamp())
            on conflict (execution_id) do nothing
            """,
            cancellationToken);

    /// <summary>Takes the payload (contract §2.1) from the executions as the transaction sees them.</summary>
    internal Task<IReadOnlyList<DeliveryId>> MakeReady(SqlSession session, IReadOnlyList<string> executionIds, CancellationToken cancellationToken) =>
        session.Query(
            $"""
            update agent_final_delivery_outbox o
            set state = 'pending', next_attempt_at = clock_timestamp() + {options.ReadyGrace}, ready_at = clock_timestamp(), updated_at = clock_timestamp(),
                final_payload = jsonb_build_object('execution_id', e.execution_id, 'thread_key', e.thread_key, 'status', e.status,
                                                   'terminal_reason', e.terminal_reason, 'result_text', coalesce(e.result_text, ''))
                    || jsonb_strip_nulls(jsonb_build_object(
                        'error_text', e.error_text,
                        'agent_thread_id', (select s.agent_thread_id from sandbox_sessions s where s.thread_key = e.thread_key and e.durable_turn_id is not null),
                        'repo_context', e.metadata -> 'repo_context',
                        'suppress_final_delivery', case when e.status = 'cancelled' and e.metadata #>> {SuppressPath} = 'true' then true end))
            from agent_execution_requests e
            where e.execution_id = o.execution_id and o.execution_id = any({executionIds.ToArray()}) and o.state = 'awaiting_terminal'
              and e.status in ('completed', 'failed_permanent', 'cancelled')
            returning o.execution_id, o.thread_key
            """,
            row => new DeliveryId(row.GetString(0), row.GetString(1)),
            cancellationToken);

    /// <summary>Executions that have ended, by whatever way, without their deliveries being made ready.</summary>
    internal Task<IReadOnlyList<DeliveryId>> Forgotten(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select o.execution_id, o.thread_key
            from agent_final_delivery_outbox o join agent_execution_requests e on e.execution_id = o.execution_id
            where o.state = 'awaiting_terminal' and e.status in ('completed', 'failed_permanent', 'cancelled') and e.completed_at < clock_timestamp() - {options.ReadyGrace}
            order by o.created_at
            limit {Page}
            """,
            row => new DeliveryId(row.GetString(0), row.GetString(1)),
            cancellationToken);

    /// <summary>
    /// Deliveries that are late and that nobody was told of. A client that named no delivery gets the contract's, which leads to no thread: it reads the stream, and waits for nothing here.
    /// </summary>
    internal Task<IReadOnlyList<DeliveryId>> Late(CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select execution_id, thread_key
            from agent_final_delivery_outbox
            where state <> 'delivered' and overdue_at is null and ready_at < clock_timestamp() - {options.Overdue}
              and not (delivery ->> 'channel' = 'slack' and delivery ->> 'thread_ts' is null)
            order by ready_at
            limit {Page}
            """,
            row => new DeliveryId(row.GetString(0), row.GetString(1)),
            cancellationToken);

    internal Task<IReadOnlyList<DeadLetter>> DeadLetters(int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select execution_id, thread_key, attempt_count, last_error, delivery::text, last_attempt_at
            from agent_final_delivery_outbox where state = 'dead_letter' order by updated_at desc, execution_id limit {limit}
            """,
            row => new DeadLetter(
                row.GetString(0), row.GetString(1), row.GetInt32(2), row.IsDBNull(3) ? null : row.GetString(3), JsonNode.Parse(row.GetString(4))!.AsObject(),
                row.IsDBNull(5) ? null : row.GetFieldValue<DateTimeOffset>(5)),
            cancellationToken);

    /// <summary>Says of one late delivery that it was told; null where it was delivered, or told by another replica, in between.</summary>
    internal Task<LateDelivery?> MarkOverdue(SqlSession session, string executionId, CancellationToken cancellationToken) =>
        session.First(
            $"""
            update agent_final_delivery_outbox set overdue_at = clock_timestamp()
            where execution_id = {executionId} and state <> 'delivered' and overdue_at is null and ready_at is not null
            returning state, attempt_count, last_error
            """,
            row => new LateDelivery(row.GetString(0), row.GetInt32(1), row.IsDBNull(2) ? null : row.GetString(2)),
            cancellationToken);
}

/// <param name="ExecutionId">Of the execution, or of the notice.</param>
/// <param name="ThreadKey">The thread in whose log it is told.</param>
internal sealed record DeliveryId(string ExecutionId, string ThreadKey);

/// <param name="State">Where it stands.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Error">What the last attempt said.</param>
internal sealed record LateDelivery(string State, int Attempts, string? Error);
