namespace Centaur.Server.Sandboxes;

/// <summary>What this slice tells the operator.</summary>
internal static partial class SandboxesLog
{
    [LoggerMessage(5001, LogLevel.Information, "Sandbox {SandboxId} of thread {ThreadKey} is up")]
    public static partial void Started(this ILogger log, string sandboxId, string threadKey);

    [LoggerMessage(5002, LogLevel.Warning, "Sandbox {SandboxId} could not be started ahead of its turn: {Reason}")]
    public static partial void NotStarted(this ILogger log, string sandboxId, string reason);

    [LoggerMessage(5003, LogLevel.Warning, "Reserved sandboxes could not be looked for: {Reason}")]
    public static partial void NotLooked(this ILogger log, string reason);

    [LoggerMessage(5004, LogLevel.Information, "Sandbox {SandboxId} of thread {ThreadKey} has ended: {Cause}")]
    public static partial void Ended(this ILogger log, string sandboxId, string threadKey, string cause);

    [LoggerMessage(5005, LogLevel.Warning, "Sandbox {SandboxId} is not ended or cleared up yet, and is tried again: {Reason}")]
    public static partial void NotEnded(this ILogger log, string sandboxId, string reason);

    [LoggerMessage(5006, LogLevel.Warning, "Sandboxes could not be looked after: {Reason}")]
    public static partial void NotReconciled(this ILogger log, string reason);

    [LoggerMessage(5007, LogLevel.Warning, "Sandbox {SandboxId} has no row in the database; what is left of it is ended and removed")]
    public static partial void Orphan(this ILogger log, string sandboxId);

    [LoggerMessage(5008, LogLevel.Warning, "Sandbox {SandboxId} of thread {ThreadKey} is given up: no server of its host has been seen for too long")]
    public static partial void GivenUp(this ILogger log, string sandboxId, string threadKey);

    [LoggerMessage(5012, LogLevel.Information, "The assignment of thread {ThreadKey} is released: nobody has used it for too long")]
    public static partial void AssignmentReleased(this ILogger log, string threadKey);

    [LoggerMessage(5009, LogLevel.Warning, "A spare sandbox could not be started; the pool rests for {Seconds} s: {Reason}")]
    public static partial void NoSpare(this ILogger log, double seconds, string reason);

    [LoggerMessage(5010, LogLevel.Information, "Spare sandbox {SandboxId} is ready")]
    public static partial void SpareReady(this ILogger log, string sandboxId);

    [LoggerMessage(5011, LogLevel.Warning, "Spare sandbox {SandboxId} has died and is replaced")]
    public static partial void SpareDied(this ILogger log, string sandboxId);
}
