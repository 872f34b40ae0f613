using System.Text.Json.Nodes;

namespace Centaur.Server.Slack.Web;

/// <summary>The few methods of Slack's Web API that are used here. What Slack refuses is returned; nothing here retries.</summary>
internal interface ISlackClient
{
    /// <summary><c>auth.test</c>: who the token is.</summary>
    Task<SlackAnswer<SlackSelf>> WhoAmI(CancellationToken cancellationToken);

    /// <summary><c>chat.postMessage</c>, into a thread.</summary>
    /// <returns>The message's ts.</returns>
    Task<SlackAnswer<string>> Post(SlackOutgoing message, CancellationToken cancellationToken);

    /// <summary><c>conversations.replies</c> with metadata: all messages of a thread.</summary>
    Task<SlackAnswer<IReadOnlyList<SlackReply>>> Replies(string channel, string threadTs, CancellationToken cancellationToken);
}

/// <param name="TeamId">The workspace that the app is installed in.</param>
/// <param name="UserId">The bot as a user: who is mentioned.</param>
/// <param name="BotId">The bot as an author; null where the token is no bot's.</param>
internal sealed record SlackSelf(string TeamId, string UserId, string? BotId);

/// <param name="Channel">Where to.</param>
/// <param name="ThreadTs">The thread's root.</param>
/// <param name="Text">Slack's markup, escaped.</param>
/// <param name="Metadata"><c>event_type</c> and <c>event_payload</c>, by which the message is found again.</param>
internal sealed record SlackOutgoing(string Channel, string ThreadTs, string Text, JsonObject Metadata);

/// <param name="User">The author as a user.</param>
/// <param name="BotId">The author as a bot.</param>
/// <param name="Ts">The message's id within the channel.</param>
/// <param name="Metadata">Null where it has none.</param>
internal sealed record SlackReply(string? User, string? BotId, string Ts, JsonObject? Metadata);

/// <summary>What Slack answered, or why it did not.</summary>
internal readonly record struct SlackAnswer<T>(T? Value, SlackFailure? Failure)
{
    public static implicit operator SlackAnswer<T>(T value) => new(value, null);

    public static implicit operator SlackAnswer<T>(SlackFailure failure) => new(default, failure);
}

/// <param name="Error">Slack's error code, or for people what went wrong before Slack could say one.</param>
/// <param name="IsCode">Whether <paramref name="Error"/> is a code of Slack's.</param>
/// <param name="RetryAfter">Where Slack says when to come back.</param>
internal sealed record SlackFailure(string Error, bool IsCode, TimeSpan? RetryAfter = null);
