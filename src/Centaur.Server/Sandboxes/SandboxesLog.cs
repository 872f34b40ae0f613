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
}
