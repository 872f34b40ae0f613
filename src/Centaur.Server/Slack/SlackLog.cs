namespace Centaur.Server.Slack;

/// <summary>What this slice tells the operator.</summary>
internal static partial class SlackLog
{
    [LoggerMessage(8001, LogLevel.Warning, "Slack is off: it needs both SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, and one of them is not set")]
    public static partial void HalfConfigured(this ILogger log);

    [LoggerMessage(8002, LogLevel.Information, "Slack is on as {UserId} of workspace {TeamId}")]
    public static partial void Connected(this ILogger log, string userId, string teamId);

    [LoggerMessage(8003, LogLevel.Warning, "Slack does not answer as it should, and is asked again: {Reason}")]
    public static partial void NotConnected(this ILogger log, string reason);

    [LoggerMessage(8004, LogLevel.Information, "Message {MessageTs} in {ChannelId} became {ExecutionId}")]
    public static partial void Started(this ILogger log, string messageTs, string channelId, string executionId);

    [LoggerMessage(8005, LogLevel.Warning, "Message {MessageTs} in {ChannelId} was refused, and its author is told: {Reason}")]
    public static partial void Refused(this ILogger log, string messageTs, string channelId, string reason);

    [LoggerMessage(8006, LogLevel.Error, "Message {MessageTs} in {ChannelId} could not be handled and is tried again")]
    public static partial void NotHandled(this ILogger log, string messageTs, string channelId, Exception exception);

    [LoggerMessage(8007, LogLevel.Warning, "The database does not answer; Slack's inbox and outbox wait for it: {Reason}")]
    public static partial void DatabaseUnreachable(this ILogger log, string reason);

    [LoggerMessage(8008, LogLevel.Warning, "The answer of {ExecutionId} was not posted at attempt {Attempt}: {Reason}")]
    public static partial void NotPosted(this ILogger log, string executionId, int attempt, string reason);

    [LoggerMessage(8009, LogLevel.Error, "The answer of {ExecutionId} cannot be posted: {Reason}")]
    public static partial void Undeliverable(this ILogger log, string executionId, string reason);

    [LoggerMessage(8010, LogLevel.Information, "The answer of {ExecutionId} is posted: {Posted} messages now, {Found} found")]
    public static partial void Posted(this ILogger log, string executionId, int posted, int found);

    [LoggerMessage(8011, LogLevel.Warning, "A request in Slack's name was refused: {Reason}")]
    public static partial void BadSignature(this ILogger log, string reason);
}
