namespace Centaur.Server.Harnesses;

/// <summary>What this slice tells the operator.</summary>
internal static partial class HarnessesLog
{
    [LoggerMessage(5001, LogLevel.Information, "Installing {Package} with npm (once)")]
    public static partial void Installing(ILogger log, string package);
}
