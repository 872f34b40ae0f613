namespace Centaur.Server.Events;

internal static partial class EventsLog
{
    [LoggerMessage(3001, LogLevel.Error, "The event log's partitions of the next days could not be made")]
    public static partial void PartitionsMissing(ILogger log, Exception exception);
}
