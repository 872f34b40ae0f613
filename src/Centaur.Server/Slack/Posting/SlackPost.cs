using System.Text.Json.Nodes;
using Centaur.Server.Deliveries;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Slack.Posting;

/// <summary>
/// Posts one answer, once. 1. It needs a channel and a thread. 2. The text is cut into messages, each of which carries the execution and its place in its metadata. 3. From the second
/// attempt on, the thread is read and what an earlier attempt has posted is adopted; where it cannot be read nothing is posted. 4. The rest is posted in order, each under a
/// renewed lease. 5. The outbox is told. A kill between 4 and 5 costs a reading of the thread and never a second message.
/// </summary>
internal sealed class SlackPost(DeliveryClaims claims, ISlackClient client, SlackOptions options, ILogger<SlackPost> log)
{
    const string ChunkEvent = "centaur_final_delivery_chunk";

    public async Task Deliver(ClaimedDelivery delivery, string consumerId, SlackSelf self, CancellationToken cancellationToken)
    {
        if (IsSuppressed(delivery))
        {
            await claims.Delivered(delivery.ExecutionId, consumerId, cancellationToken);
            return;
        }

        // 1.
        if (Text(delivery.Delivery, "channel") is not { } channel || Text(delivery.Delivery, "thread_ts") is not { } threadTs)
        {
            await Fail(delivery, consumerId, new SlackFailure("missing_slack_delivery_target", IsCode: true), cancellationToken);
            return;
        }

        // 2.
        var chunks = SlackText.Split(SlackText.Escape(SlackWords.Of(delivery.ExecutionId, delivery.FinalPayload)));

        // 3.
        var found = new HashSet<int>();
        if (delivery.AttemptCount > 1)
        {
            var replies = await client.Replies(channel, threadTs, cancellationToken);
            // A thread that is gone holds nothing of ours.
            if (replies.Failure is { Error: not "thread_not_found" } unreadable)
            {
                await Fail(delivery, consumerId, unreadable, cancellationToken);
                return;
            }

            found = (replies.Value ?? []).Where(r => IsMine(r, self)).Select(r => ChunkOf(r, delivery.ExecutionId)).OfType<int>().ToHashSet();
        }

        // 4.
        for (var i = 0; i < chunks.Count; i++)
        {
            if (found.Contains(i))
                continue;
            if (!await claims.Renew(delivery.ExecutionId, consumerId, options.Lease, cancellationToken))
                return;
            var posted = await client.Post(new SlackOutgoing(channel, threadTs, chunks[i], MetadataOf(delivery.ExecutionId, i, chunks.Count)), cancellationToken);
            if (posted.Failure is { } failure)
            {
                await Fail(delivery, consumerId, failure, cancellationToken);
                return;
            }
        }

        // 5.
        await claims.Delivered(delivery.ExecutionId, consumerId, cancellationToken);
        log.Posted(delivery.ExecutionId, chunks.Count - found.Count, found.Count);
    }

    async Task Fail(ClaimedDelivery delivery, string consumerId, SlackFailure failure, CancellationToken cancellationToken)
    {
        var doubled = options.Retry * Math.Pow(2, Math.Min(delivery.AttemptCount - 1, 16));
        var delay = failure.RetryAfter ?? (doubled < options.MaxRetry ? doubled : options.MaxRetry);
        var told = new DeliveryFailure(consumerId, failure.Error, delay) { Class = failure.IsCode ? failure.Error : null };
        await claims.Failed(delivery.ExecutionId, told, cancellationToken);
        if (told.IsFinal)
            log.Undeliverable(delivery.ExecutionId, failure.Error);
        else
            log.NotPosted(delivery.ExecutionId, delivery.AttemptCount, failure.Error);
    }

    /// <summary>Another app can write any metadata into the thread.</summary>
    static bool IsMine(SlackReply reply, SlackSelf self) => reply.User == self.UserId || (reply.BotId is not null && reply.BotId == self.BotId);

    static int? ChunkOf(SlackReply reply, string executionId) =>
        reply.Metadata is { } metadata && Text(metadata, "event_type") == ChunkEvent && metadata["event_payload"] is JsonObject payload && Text(payload, "execution_id") == executionId
        && payload["chunk_index"] is JsonValue value && value.TryGetValue<int>(out var index)
            ? index
            : null;

    static JsonObject MetadataOf(string executionId, int index, int count) => new()
    {
        ["event_type"] = ChunkEvent,
        ["event_payload"] = new JsonObject { ["execution_id"] = executionId, ["chunk_index"] = index, ["chunk_count"] = count },
    };

    static bool IsSuppressed(ClaimedDelivery delivery) =>
        delivery.FinalPayload["suppress_final_delivery"] is JsonValue value && value.TryGetValue<bool>(out var isSuppressed) && isSuppressed;

    static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
