namespace Centaur.Proxy.Logging;

/// <summary>What the broker, and whoever reads values, says on standard error: names, places and uids, never a value or a ticket.</summary>
static partial class BrokerLog
{
    [LoggerMessage(101, LogLevel.Information, "The broker listens on {Control} (grants) and {Fetch} (proxies).")]
    public static partial void BrokerListening(this ILogger log, string control, string fetch);

    [LoggerMessage(102, LogLevel.Warning, "A process of uid {Uid} tried to grant secrets and was refused.")]
    public static partial void ControlPeerRefused(this ILogger log, uint uid);

    [LoggerMessage(103, LogLevel.Information, "Sandbox {Sandbox} was granted {Count} secrets.")]
    public static partial void Granted(this ILogger log, string sandbox, int count);

    [LoggerMessage(104, LogLevel.Information, "The grant of sandbox {Sandbox} was revoked.")]
    public static partial void GrantRevoked(this ILogger log, string sandbox);

    [LoggerMessage(105, LogLevel.Information, "The broker ends.")]
    public static partial void BrokerEnded(this ILogger log);

    [LoggerMessage(106, LogLevel.Warning, "A value of {Source} cannot be read ({Code}): {Message}")]
    public static partial void SourceFailed(this ILogger log, string source, string code, string message);

    [LoggerMessage(107, LogLevel.Information, "The value of {Source} can be read again.")]
    public static partial void SourceRecovered(this ILogger log, string source);

    [LoggerMessage(108, LogLevel.Warning, "The value of {Source} is dropped: {Message}")]
    public static partial void ValueDropped(this ILogger log, string source, string message);
}
