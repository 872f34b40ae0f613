namespace Centaur.Server.Platform.Database;

internal static partial class DatabaseLog
{
    [LoggerMessage(1201, LogLevel.Information, "Applied migration {Name}")]
    public static partial void Applied(ILogger log, string name);

    [LoggerMessage(1202, LogLevel.Information, "The database is reached and migrated")]
    public static partial void Ready(ILogger log);

    [LoggerMessage(1203, LogLevel.Warning, "Postgres does not answer, trying again every second: {Reason}")]
    public static partial void Away(ILogger log, string reason);

    [LoggerMessage(1204, LogLevel.Critical, "{Reason}")]
    public static partial void DoesNotFit(ILogger log, string reason);
}
