namespace Centaur.Proxy.Logging;

/// <summary>What a proxy says on standard error. No header, query, body or value is ever among it.</summary>
static partial class ProxyLog
{
    [LoggerMessage(1, LogLevel.Information, "Listening on {Address}.")]
    public static partial void Listening(this ILogger log, string address);

    [LoggerMessage(2, LogLevel.Information, "Policy version {Version} is in force.")]
    public static partial void PolicyEnforced(this ILogger log, long version);

    [LoggerMessage(3, LogLevel.Warning, "Policy version {Version} was rejected: {Problems}")]
    public static partial void PolicyRejected(this ILogger log, long version, string problems);

    [LoggerMessage(4, LogLevel.Information, "The keeper is gone; ending.")]
    public static partial void KeeperGone(this ILogger log);

    [LoggerMessage(5, LogLevel.Information, "Connected to the secret broker.")]
    public static partial void BrokerConnected(this ILogger log);

    [LoggerMessage(7, LogLevel.Information, "Configuration: {Notice}")]
    public static partial void ConfigNotice(this ILogger log, string notice);

    [LoggerMessage(6, LogLevel.Warning, "The connection to the secret broker ended.")]
    public static partial void BrokerLost(this ILogger log);

    [LoggerMessage(8, LogLevel.Warning, "The configuration was not reloaded, and nothing was changed: {Problem}")]
    public static partial void ReloadRefused(this ILogger log, string problem);

    [LoggerMessage(9, LogLevel.Warning, "A call of the management was refused: it did not hold the key.")]
    public static partial void ManagementRefused(this ILogger log);
}
