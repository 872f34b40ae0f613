namespace Centaur.Server.Events;

internal static partial class EventsLog
{
    [LoggerMessage(3001, LogLevel.Error, "The event log could not be looked after (its partitions, its days that are over); that is tried again in an hour")]
    public static partial void UpkeepFailed(ILogger log, Exception exception);
}
