namespace Centaur.Server.Egress;

/// <summary>What this slice tells the operator.</summary>
internal static partial class EgressLog
{
    [LoggerMessage(12001, LogLevel.Warning, "The audit of sandbox {SandboxId} could not be read and is tried again: {Reason}")]
    public static partial void NotRead(this ILogger log, string sandboxId, string reason);

    [LoggerMessage(12002, LogLevel.Warning, "Records of egress could not be stored; the audit files keep them: {Reason}")]
    public static partial void NotShipped(this ILogger log, string reason);

    [LoggerMessage(12003, LogLevel.Information, "{Days} days of egress records were older than {KeepDays} days and are dropped")]
    public static partial void Expired(this ILogger log, int days, int keepDays);

    [LoggerMessage(12004, LogLevel.Warning, "The partitions of egress records could not be looked after: {Reason}")]
    public static partial void NotKept(this ILogger log, string reason);
}
