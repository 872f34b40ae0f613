using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Deliveries;

/// <summary>
/// How deliverers take from the outbox, the ones of this process and those behind the API alike. A claim is a row lease in the database's time: whoever lets it lapse may find
/// that another deliverer has gone on.
/// </summary>
public sealed class DeliveryClaims(PostgresDatabase database, EventStore events, DeliveryOptions options, WakeUps wakeUps)
{
    static readonly CrashPoint Claiming = new("delivery.claim");
    static readonly CrashPoint Renewing = new("delivery.renew");
    static readonly CrashPoint Delivering = new("delivery.delivered");
    static readonly CrashPoint Failing = new("delivery.failed");
    static readonly CrashPoint GivingUp = new("delivery.give_up");
    static readonly CrashPoint Retrying = new("delivery.retry");

    /// <summary>Takes what is due, the oldest first.</summary>
    public Task<IReadOnlyList<ClaimedDelivery>> Claim(DeliveryClaim claim, CancellationToken cancellationToken) =>
        database.InTransaction(
            Claiming,
            session => session.Query(
                $"""
                with due as (
                    select execution_id
                    from agent_final_delivery_outbox
                    where (state in ('pending', 'retry_wait') and (next_attempt_at <= clock_timestamp() or {claim.SkipGrace} and attempt_count = 0)
                           or state = 'sending' and lease_expires_at <= clock_timestamp())
                      and attempt_count < {options.MaxAttempts}
                      and ({claim.Platform} is null or delivery ->> 'platform' = {claim.Platform})
                    order by created_at
                    limit {claim.Limit}
                    for update skip locked
                ), taken as (
                    update agent_final_delivery_outbox o
                    set state = 'sending', lease_owner = {claim.ConsumerId}, lease_expires_at = clock_timestamp() + {claim.Lease}, attempt_count = o.attempt_count + 1,
                        last_attempt_at = clock_timestamp(), updated_at = clock_timestamp()
                    from due
                    where o.execution_id = due.execution_id
                    returning o.*
                )
                select o.execution_id, o.thread_key, (select trace_id from thread_traces t where t.thread_key = o.thread_key), o.attempt_count, o.delivery::text, o.final_payload::text
                from taken o
                order by o.created_at
                """,
                row => new ClaimedDelivery(
                    row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetGuid(2), row.GetInt32(3), JsonNode.Parse(row.GetString(4))!.AsObject(),
                    JsonNode.Parse(row.GetString(5))!.AsObject()),
                cancellationToken),
            keep: claimed => claimed.Count > 0,
            cancellationToken);

    /// <summary>Lengthens a lease that has not ended.</summary>
    /// <returns>False where it is somebody else's, or has ended: whoever hears that stops at once.</returns>
    public async Task<bool> Renew(string executionId, string consumerId, TimeSpan lease, CancellationToken cancellationToken) =>
        await database.Write(
            Renewing,
            $"""
            update agent_final_delivery_outbox set lease_expires_at = clock_timestamp() + {lease}, updated_at = clock_timestamp()
            where execution_id = {executionId} and state = 'sending' and lease_owner = {consumerId} and lease_expires_at > clock_timestamp()
            """,
            cancellationToken) == 1;

    /// <summary>Says that it was delivered. Without a consumer, whoever streamed the answer says so, claimed or not.</summary>
    public Task<DeliveryReport> Delivered(string executionId, string? consumerId, CancellationToken cancellationToken) =>
        Report(
            Delivering,
            executionId,
            async (session, current) =>
            {
                if (current.State == "delivered")
                    return DeliveryReport.Repeated;
                // What was posted under a lease that has ended since was posted all the same, unless another has gone on with it.
                var mine = consumerId is null ? current.State is "pending" or "retry_wait" or "sending" : current.State == "sending" && current.Owner == consumerId;
                if (!mine)
                    return DeliveryReport.NotOwned;
                await session.Execute(
                    $"""
                    update agent_final_delivery_outbox
                    set state = 'delivered', delivered_at = clock_timestamp(), lease_owner = null, lease_expires_at = null, last_error = null, updated_at = clock_timestamp()
                    where execution_id = {executionId}
                    """,
                    cancellationToken);
                await events.Append(
                    session, current.ThreadKey, executionId,
                    [DeliveryEvent.Of(EventKinds.FinalDeliveryDelivered, "final_delivery.delivered", executionId, current.ThreadKey)], cancellationToken);
                return DeliveryReport.Taken;
            },
            cancellationToken);

    /// <summary>Says that it failed: it is tried again, or never where a repeat cannot help.</summary>
    public Task<DeliveryReport> Failed(string executionId, DeliveryFailure failure, CancellationToken cancellationToken) =>
        Report(
            Failing,
            executionId,
            async (session, current) =>
            {
                var isMine = current.State == "sending" && (failure.ConsumerId is null || current.Owner == failure.ConsumerId);
                // What ends a delivery for good, or sorts it, is believed only from whoever holds it now.
                if (!isMine || (failure.NeedsLiveLease && !current.LeaseIsLive))
                    return DeliveryReport.NotOwned;
                var isDead = failure.IsFinal || current.Attempts >= options.MaxAttempts;
                await session.Execute(
                    $"""
                    update agent_final_delivery_outbox
                    set state = {(isDead ? "dead_letter" : "pending")}, next_attempt_at = clock_timestamp() + {failure.RetryAfter}, last_error = {failure.Text},
                        lease_owner = null, lease_expires_at = null, updated_at = clock_timestamp()
                    where execution_id = {executionId}
                    """,
                    cancellationToken);
                return DeliveryReport.Taken;
            },
            cancellationToken);

    /// <summary>Offers a dead letter once more, as if it had never been tried.</summary>
    internal Task<DeliveryReport> Retry(string executionId, CancellationToken cancellationToken) =>
        Report(
            Retrying,
            executionId,
            async (session, current) =>
            {
                if (current.State != "dead_letter")
                    return DeliveryReport.NotOwned;
                session.AfterCommit(() => wakeUps.Raise(Topics.Deliveries));
                await session.Execute(
                    $"""
                    update agent_final_delivery_outbox
                    set state = 'pending', attempt_count = 0, next_attempt_at = clock_timestamp(), ready_at = clock_timestamp(), overdue_at = null, updated_at = clock_timestamp()
                    where execution_id = {executionId}
                    """,
                    cancellationToken);
                return DeliveryReport.Taken;
            },
            cancellationToken);

    /// <summary>Ends what was claimed as often as may be and whose deliverers died each time.</summary>
    /// <returns>How many became dead letters.</returns>
    internal Task<int> GiveUp(CancellationToken cancellationToken) =>
        database.Write(
            GivingUp,
            $"""
            update agent_final_delivery_outbox
            set state = 'dead_letter', last_error = coalesce(last_error, 'every attempt ended with its deliverer'), lease_owner = null, lease_expires_at = null, updated_at = clock_timestamp()
            where state = 'sending' and lease_expires_at <= clock_timestamp() and attempt_count >= {options.MaxAttempts}
            """,
            cancellationToken);

    async Task<DeliveryReport> Report(
        CrashPoint point, string executionId, Func<SqlSession, CurrentDelivery, Task<DeliveryReport>> write, CancellationToken cancellationToken)
    {
        if (await database.First(
                $"select thread_key from agent_final_delivery_outbox where execution_id = {executionId}", row => row.GetString(0), cancellationToken) is not { } threadKey)
            return DeliveryReport.Unknown;
        return await database.InTransaction(
            point,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                var current = await session.First(
                    $"""
                    select state, lease_owner, coalesce(lease_expires_at > clock_timestamp(), false), attempt_count
                    from agent_final_delivery_outbox where execution_id = {executionId} for update
                    """,
                    row => new CurrentDelivery(threadKey, row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetBoolean(2), row.GetInt32(3)),
                    cancellationToken);
                return current is null ? DeliveryReport.Unknown : await write(session, current);
            },
            keep: report => report == DeliveryReport.Taken,
            cancellationToken);
    }

    sealed record CurrentDelivery(string ThreadKey, string State, string? Owner, bool LeaseIsLive, int Attempts);
}

/// <summary>What a deliverer asks for.</summary>
/// <param name="ConsumerId">Names the deliverer.</param>
/// <param name="Limit">At most so many.</param>
/// <param name="Lease">For so long they are its own.</param>
/// <param name="Platform">Only deliveries to this platform; null is any.</param>
public sealed record DeliveryClaim(string ConsumerId, int Limit, TimeSpan Lease, string? Platform)
{
    /// <summary>For a deliverer that streams nothing, and so needs not wait for itself to say that it has.</summary>
    public bool SkipGrace { get; init; }
}

/// <param name="ExecutionId">The execution, or the notice, that is delivered.</param>
/// <param name="ThreadKey">Its thread.</param>
/// <param name="TraceId">The thread's trace.</param>
/// <param name="AttemptCount">1 at the first; from 2 on an earlier deliverer may have got anywhere.</param>
/// <param name="Delivery">Where it goes.</param>
/// <param name="FinalPayload">What is delivered (contract §2.1).</param>
public sealed record ClaimedDelivery(string ExecutionId, string ThreadKey, Guid? TraceId, int AttemptCount, JsonObject Delivery, JsonObject FinalPayload);

/// <summary>What became of a deliverer's report.</summary>
public enum DeliveryReport
{
    Taken,

    /// <summary>It was delivered before.</summary>
    Repeated,

    /// <summary>Somebody else holds it, or nobody.</summary>
    NotOwned,

    /// <summary>There is no such delivery.</summary>
    Unknown,
}
