namespace Centaur.Server.Platform.Http;

internal static partial class HttpLog
{
    [LoggerMessage(1101, LogLevel.Error, "{Method} {Path} was answered {Status}")]
    public static partial void RequestFailed(ILogger log, string method, string path, int status, Exception exception);

    [LoggerMessage(1102, LogLevel.Information, "Serving operators and clients at {Api}, sandboxes at {Sandboxes}, webhooks at {Public}")]
    public static partial void Serving(ILogger log, string api, string sandboxes, string @public);
}
