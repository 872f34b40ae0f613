namespace Centaur.Server.Access;

internal static partial class AccessLog
{
    [LoggerMessage(2001, LogLevel.Information, "A new admin key was made and written to {File}")]
    public static partial void FirstKeyMade(ILogger log, string file);

    [LoggerMessage(2002, LogLevel.Information, "API key {Id} ({Name}) was created by {By} with scopes {Scopes}")]
    public static partial void Created(ILogger log, Guid id, string name, string by, string scopes);

    [LoggerMessage(2003, LogLevel.Information, "API key {Id} was revoked by {By}")]
    public static partial void Revoked(ILogger log, Guid id, string by);

    [LoggerMessage(2004, LogLevel.Warning, "{Name} ({Id}) lacks {Scope} and was refused {Method} {Path}")]
    public static partial void Refused(ILogger log, string name, string id, string scope, string method, string path);
}
