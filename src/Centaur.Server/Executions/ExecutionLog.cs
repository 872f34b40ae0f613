namespace Centaur.Server.Executions;

/// <summary>What this slice tells the operator.</summary>
internal static partial class ExecutionLog
{
    [LoggerMessage(6001, LogLevel.Information, "Claimed execution {ExecutionId} of thread {ThreadKey} at generation {Generation}")]
    public static partial void Claimed(this ILogger log, string executionId, string threadKey, long generation);

    [LoggerMessage(6002, LogLevel.Information, "Execution {ExecutionId} ended as {Status} ({Reason})")]
    public static partial void Ended(this ILogger log, string executionId, string status, string reason);

    [LoggerMessage(6003, LogLevel.Warning, "Execution {ExecutionId} has another owner now; nothing was written")]
    public static partial void Fenced(this ILogger log, string executionId);

    [LoggerMessage(6004, LogLevel.Information, "Returned {Count} executions of ended leases to the queue")]
    public static partial void Reaped(this ILogger log, int count);

    [LoggerMessage(6005, LogLevel.Warning, "The database does not answer; the work waits for it: {Reason}")]
    public static partial void DatabaseUnreachable(this ILogger log, string reason);

    [LoggerMessage(6006, LogLevel.Warning, "The attachment of execution {ExecutionId} broke and is made again: {Reason}")]
    public static partial void AttachmentBroke(this ILogger log, string executionId, string reason);

    [LoggerMessage(6007, LogLevel.Warning, "Sandbox {SandboxId} of execution {ExecutionId} died: {Cause}")]
    public static partial void SandboxDied(this ILogger log, string sandboxId, string executionId, string cause);

    [LoggerMessage(6008, LogLevel.Critical, "Execution {ExecutionId} met a fault of the server's own and is failed, so that nothing else is")]
    public static partial void Faulted(this ILogger log, string executionId, Exception exception);

    [LoggerMessage(6009, LogLevel.Information, "Execution {ExecutionId} waits for its sandbox: {Reason}")]
    public static partial void SandboxBusy(this ILogger log, string executionId, string reason);

    [LoggerMessage(6010, LogLevel.Warning, "Execution {ExecutionId} is tried once more in a fresh sandbox ({Reason})")]
    public static partial void TriedAgain(this ILogger log, string executionId, string reason);
}
