using System.Text.Json;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Slack.Ingress;

/// <summary>Every statement about Slack's events.</summary>
internal sealed class SlackInboxStore(PostgresDatabase database, WakeUps wakeUps)
{
    /// <summary>Raised when a message was stored.</summary>
    public const string Topic = "slack-inbox";

    static readonly CrashPoint Storing = new("slack.store");
    static readonly CrashPoint Postponing = new("slack.postpone");
    static readonly CrashPoint Forgetting = new("slack.forget");

    /// <summary>Stores an event as Slack sent it.</summary>
    /// <returns>False where the event, or its message, was stored before.</returns>
    public async Task<bool> Store(SlackEvent received, string payload, CancellationToken cancellationToken)
    {
        var isMessage = received.Kind == SlackEventKind.Message;
        var stored = await database.Write(
            Storing,
            $"""
            insert into slack_inbox (event_id, team_id, channel_id, message_ts, thread_ts, kind, payload, state, outcome, handled_at)
            values ({received.EventId}, {received.TeamId}, {received.ChannelId}, {received.MessageTs}, {received.ThreadTs}, {WordOf(received.Kind)}, {new Jsonb(payload)},
                    {(isMessage ? "pending" : "ignored")}, {received.WhyIgnored}, case when {isMessage} then null else clock_timestamp() end)
            on conflict do nothing
            """,
            cancellationToken) == 1;
        if (stored && isMessage)
            wakeUps.Raise(Topic);
        return stored;
    }

    /// <summary>
    /// The message that is next, held against other replicas until the transaction ends: the first of its Slack thread, and no other of the thread before it has been handled.
    /// Null where there is none, or where this worker's lease has ended.
    /// </summary>
    public Task<PendingMessage?> Next(SqlSession session, LeaseTerm term, CancellationToken cancellationToken) =>
        session.First(
            $"""
            select i.inbox_id, i.team_id, i.channel_id, i.message_ts, i.thread_ts, i.payload::text, i.attempts
            from slack_inbox i
            where i.state = 'pending' and i.next_attempt_at <= clock_timestamp()
              and not exists (
                  select 1 from slack_inbox o
                  where o.state = 'pending' and o.channel_id = i.channel_id and o.thread_ts = i.thread_ts and o.team_id = i.team_id and o.message_ts < i.message_ts)
              and exists (select 1 from workers where worker_id = {term.WorkerId} and lease_expires_at > clock_timestamp() for share)
            order by i.message_ts
            limit 1
            for update of i skip locked
            """,
            row => new PendingMessage(
                row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), JsonSerializer.Deserialize<JsonElement>(row.GetString(5)), row.GetInt32(6)),
            cancellationToken);

    /// <summary>The same message again, where it still waits.</summary>
    public async Task<bool> Holds(SqlSession session, PendingMessage message, CancellationToken cancellationToken) =>
        await session.First(
            $"select 1 from slack_inbox where inbox_id = {message.InboxId} and state = 'pending' for update", row => row.GetInt32(0), cancellationToken) == 1;

    public Task Ignore(SqlSession session, PendingMessage message, string why, CancellationToken cancellationToken) => End(session, message, "ignored", why, null, cancellationToken);

    public Task Refuse(SqlSession session, PendingMessage message, string why, CancellationToken cancellationToken) => End(session, message, "refused", why, null, cancellationToken);

    public Task Start(SqlSession session, PendingMessage message, string executionId, CancellationToken cancellationToken) =>
        End(session, message, "started", null, executionId, cancellationToken);

    /// <summary>Tries it again later.</summary>
    /// <returns>How often it was tried.</returns>
    public Task<int> Postpone(PendingMessage message, TimeSpan delay, CancellationToken cancellationToken) =>
        database.Write(
            Postponing,
            $"""
            update slack_inbox set attempts = attempts + 1, next_attempt_at = clock_timestamp() + {delay}
            where inbox_id = {message.InboxId} and state = 'pending'
            returning attempts
            """,
            row => row.GetInt32(0),
            cancellationToken);

    public Task Forget(TimeSpan olderThan, CancellationToken cancellationToken) =>
        database.Write(Forgetting, $"delete from slack_inbox where handled_at < clock_timestamp() - {olderThan}", cancellationToken);

    static Task<int> End(SqlSession session, PendingMessage message, string state, string? outcome, string? executionId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update slack_inbox set state = {state}, outcome = {outcome}, execution_id = {executionId}, handled_at = clock_timestamp()
            where inbox_id = {message.InboxId}
            """,
            cancellationToken);

    static string WordOf(SlackEventKind kind) => kind switch
    {
        SlackEventKind.Message => "message",
        SlackEventKind.Edit => "edit",
        SlackEventKind.Delete => "delete",
        _ => "other",
    };
}

/// <summary>A message that waits to be handled.</summary>
/// <param name="InboxId">Its row.</param>
/// <param name="TeamId">The workspace that it came from.</param>
/// <param name="ChannelId">Its channel.</param>
/// <param name="MessageTs">Its id within the channel.</param>
/// <param name="ThreadTs">The root of its thread.</param>
/// <param name="Payload">The whole event.</param>
/// <param name="Attempts">How often it failed to be handled.</param>
internal sealed record PendingMessage(long InboxId, string TeamId, string ChannelId, string MessageTs, string ThreadTs, JsonElement Payload, int Attempts)
{
    public string ThreadKey => $"slack:{TeamId}:{ChannelId}:{ThreadTs}";

    public string MessageId => $"slack:{TeamId}:{ChannelId}:{MessageTs}";
}
