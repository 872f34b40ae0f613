namespace Centaur.Server.Deliveries;

/// <summary>What this slice tells the operator.</summary>
internal static partial class DeliveryLog
{
    [LoggerMessage(7001, LogLevel.Error, "The answer of {ExecutionId} on thread {ThreadKey} has not reached its author: {State} after {Attempts} attempts ({Reason})")]
    public static partial void Overdue(this ILogger log, string executionId, string threadKey, string state, int attempts, string reason);

    [LoggerMessage(7002, LogLevel.Error, "Execution {ExecutionId} of thread {ThreadKey} had ended without its delivery being made ready; it is now")]
    public static partial void Repaired(this ILogger log, string executionId, string threadKey);

    [LoggerMessage(7003, LogLevel.Error, "{Count} deliveries were given up: every attempt ended with its deliverer")]
    public static partial void GaveUp(this ILogger log, int count);

    [LoggerMessage(7004, LogLevel.Warning, "The outbox could not be looked at: {Reason}")]
    public static partial void NotLooked(this ILogger log, string reason);
}
