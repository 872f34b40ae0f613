using System.Text.RegularExpressions;

namespace Centaur.Server.Executions.Observations;

/// <summary>Sorts a tool's failure by its words (contract §2.3): the first that fits.</summary>
internal static partial class ErrorCategory
{
    const int Searched = 2_000;

    public static string Of(string text)
    {
        var head = text.Length > Searched ? text[..Searched] : text;
        return Timeout().IsMatch(head) ? "timeout"
            : RateLimit().IsMatch(head) ? "rate_limit"
            : Auth().IsMatch(head) ? "auth_error"
            : NotFound().IsMatch(head) ? "not_found"
            : InvalidInput().IsMatch(head) ? "invalid_input"
            : ClientError().IsMatch(head) ? "4xx"
            : ServerError().IsMatch(head) ? "5xx"
            : "unknown";
    }

    [GeneratedRegex(@"time[d -]?\s?out", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Timeout();

    [GeneratedRegex(@"rate.?limit|too many requests|\b429\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RateLimit();

    [GeneratedRegex(@"unauthori[sz]ed|forbidden|permission denied|authentication|\b40[13]\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Auth();

    [GeneratedRegex(@"not found|no such|\b404\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotFound();

    [GeneratedRegex(@"invalid|validation|unexpected argument|missing required|bad request|\b4(00|22)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InvalidInput();

    [GeneratedRegex(@"\b4\d\d\b", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ClientError();

    [GeneratedRegex(@"\b5\d\d\b", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ServerError();
}
