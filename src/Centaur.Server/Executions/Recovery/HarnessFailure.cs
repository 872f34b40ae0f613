using System.Text.RegularExpressions;

namespace Centaur.Server.Executions.Recovery;

/// <summary>What a harness's own failure means (wire contract §2.1): some are worth a second try, and one is the author's wish.</summary>
internal enum HarnessFailureKind
{
    /// <summary>The turn has failed, for the reason that the harness gives.</summary>
    Failed,

    /// <summary>Its credential was refused, as happens where a token has just been renewed: a fresh sandbox gets the new one.</summary>
    AuthRefused,

    /// <summary>It was interrupted on its author's behalf.</summary>
    UserCancelled,

    /// <summary>It lost its own provider and gave up.</summary>
    ReconnectTimedOut,
}

internal static partial class HarnessFailure
{
    /// <summary>What is said of a refused credential. The harness's own words may name accounts and addresses.</summary>
    public const string AuthRefusedText = "The agent could not sign in to its model provider. An operator must check its credential; then ask again.";

    public static HarnessFailureKind Of(string error) =>
        AuthRefused().IsMatch(error) ? HarnessFailureKind.AuthRefused
        : UserCancelled().IsMatch(error) ? HarnessFailureKind.UserCancelled
        : error.Contains("timed out while reconnecting", StringComparison.OrdinalIgnoreCase) ? HarnessFailureKind.ReconnectTimedOut
        : HarnessFailureKind.Failed;

    [GeneratedRegex(@"unauthorized[\s\S]*access token", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AuthRefused();

    [GeneratedRegex(@"user cancell?ed \((sigint|sigterm)\)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserCancelled();
}
