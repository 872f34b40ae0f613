namespace Centaur.Server.Secrets;

/// <summary>What this slice tells the operator.</summary>
internal static partial class SecretsLog
{
    [LoggerMessage(15001, LogLevel.Warning, "{Place} is wider than it need be: {Meaning} {Remedy}")]
    public static partial void WideEgress(this ILogger log, string place, string meaning, string remedy);
}
