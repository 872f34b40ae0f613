using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Deliveries;

/// <summary>
/// Where other slices put what must reach a person, in their own transactions, which must hold the thread's lock.
/// <code>
/// Open ──▶ awaiting_terminal ── Ready ──▶ pending ⇄ sending ──▶ delivered | dead_letter
///                               Send ───▶    │
/// </code>
/// </summary>
public sealed class DeliveryOutbox(DeliveryStore store, EventStore events, WakeUps wakeUps)
{
    /// <summary>With an execution that is queued: its answer will have to be delivered, unless its author reads the stream or is shown it live (contract §1.4).</summary>
    public async Task Open(SqlSession session, string executionId, string threadKey, JsonObject delivery, JsonObject metadata, CancellationToken cancellationToken)
    {
        if (!IsDev(delivery) && !IsLive(metadata))
            await store.Open(session, executionId, threadKey, new Jsonb(delivery.ToJsonString()), cancellationToken);
    }

    /// <summary>
    /// With executions that have ended, however they ended, after their status and their last <c>execution_state</c> are written: what came of them may be delivered now.
    /// An execution without a row in the outbox, or whose row is ready already, is left alone.
    /// </summary>
    /// <returns>How many became ready.</returns>
    public async Task<int> Ready(SqlSession session, IReadOnlyList<string> executionIds, CancellationToken cancellationToken)
    {
        var ready = await store.MakeReady(session, executionIds, cancellationToken);
        foreach (var one in ready)
            await events.Append(session, one.ThreadKey, one.ExecutionId, [DeliveryEvent.Of(EventKinds.FinalDeliveryReady, "final_delivery.ready", one.ExecutionId, one.ThreadKey)], cancellationToken);
        if (ready.Count > 0)
            session.AfterCommit(() => wakeUps.Raise(Topics.Deliveries));
        return ready.Count;
    }

    /// <summary>A notice that belongs to no execution: why a request was refused, for example.</summary>
    /// <param name="session">The caller's transaction.</param>
    /// <param name="noticeId">The same id is the same notice: it is sent once.</param>
    /// <param name="threadKey">The thread that it is about.</param>
    /// <param name="delivery">Where it goes.</param>
    /// <param name="payload">As of an execution: <c>status</c>, <c>result_text</c>, <c>error_text</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task Send(SqlSession session, string noticeId, string threadKey, JsonObject delivery, JsonObject payload, CancellationToken cancellationToken)
    {
        await store.Send(session, noticeId, threadKey, new Jsonb(delivery.ToJsonString()), new Jsonb(payload.ToJsonString()), cancellationToken);
        session.AfterCommit(() => wakeUps.Raise(Topics.Deliveries));
    }

    static bool IsDev(JsonObject delivery) => delivery["platform"] is JsonValue value && value.TryGetValue<string>(out var platform) && platform == "dev";

    static bool IsLive(JsonObject metadata) => IsTrue(metadata["slackbot_live_delivery"]) || IsTrue(metadata["slackbotv2_live_delivery"]);

    static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;
}
