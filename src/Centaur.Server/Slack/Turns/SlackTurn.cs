using System.Text.Json.Nodes;
using Centaur.Server.Executions.Api;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Centaur.Server.Slack.Ingress;
using Centaur.Server.Threads;
using Centaur.Server.Threads.Messages;

namespace Centaur.Server.Slack.Turns;

/// <summary>Makes a message of Slack a turn: spawn, message and execution, as a client of the API would, in one transaction.</summary>
internal sealed class SlackTurn(SpawnThread spawn, PostMessage post, QueueExecution queue)
{
    /// <summary>In the caller's transaction, which must hold the thread's lock.</summary>
    /// <returns>The execution's id, or why there is none.</returns>
    public async Task<Outcome<string>> Start(SqlSession session, PendingMessage message, SlackAsk ask, CancellationToken cancellationToken)
    {
        var (threadKey, messageId) = (message.ThreadKey, message.MessageId);
        var spawned = await spawn.Run(session, new SpawnRequest(threadKey, $"{messageId}:spawn", null, null, null, null), traceId: null, cancellationToken);
        if (spawned.Failure is { } noThread)
            return noThread;
        var generation = spawned.Value.AssignmentGeneration;

        var origin = new JsonObject
        {
            ["source"] = "slackbot",
            ["slack"] = new JsonObject { ["team_id"] = message.TeamId, ["channel_id"] = message.ChannelId, ["message_ts"] = message.MessageTs, ["thread_ts"] = message.ThreadTs },
        };
        var content = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = ask.Text });
        var posted = await post.Run(
            session, new MessageRequest(threadKey, generation, messageId, MessageEndpoints.Envelope("user", content), ask.UserId, origin), cancellationToken);
        if (posted.Failure is { } notStored)
            return notStored;

        var executeId = $"exec:{messageId}";
        var delivery = DeliveryOf(message, ask.UserId);
        var hash = CanonicalJson.Hash(new JsonObject
        {
            ["thread_key"] = threadKey, ["assignment_generation"] = generation, ["execute_id"] = executeId, ["harness"] = null, ["delivery"] = delivery.DeepClone(),
            ["metadata"] = origin.DeepClone(),
        });
        var metadata = (JsonObject)origin.DeepClone();
        metadata["user_id"] = ask.UserId;
        metadata["requested_by"] = $"slack:{message.TeamId}:{ask.UserId}";
        var queued = await queue.Run(session, new ExecutionRequest(threadKey, generation, executeId, hash, null, delivery, metadata), cancellationToken);
        return queued.Failure is { } refused ? refused : queued.Value.ExecutionId;
    }

    /// <summary>Into the thread that was asked in.</summary>
    public static JsonObject DeliveryOf(PendingMessage message, string userId) => new()
    {
        ["platform"] = "slack", ["channel"] = message.ChannelId, ["thread_ts"] = message.ThreadTs, ["recipient_user_id"] = userId, ["recipient_team_id"] = message.TeamId,
    };
}
