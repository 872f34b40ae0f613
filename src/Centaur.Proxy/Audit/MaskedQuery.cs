using System.Text;

namespace Centaur.Proxy.Audit;

/// <summary>
/// A query as the audit shows it, <c>q=…&amp;page=…</c>: the names of its parameters, and <c>…</c>, which no query can hold, for all that may be a value. A parameter
/// without an equals sign is a value.
/// </summary>
static class MaskedQuery
{
    const int Longest = 1024;
    const int LongestName = 100;
    const char Masked = '…';

    /// <param name="query">As it was sent, with its question mark; or empty.</param>
    public static string Of(string query)
    {
        if (query.Length < 2)
            return "";
        var text = new StringBuilder();
        foreach (var range in query.AsSpan(1).Split('&'))
        {
            var parameter = query.AsSpan(1)[range];
            if (parameter.IsEmpty)
                continue;
            if (text.Length > 0)
                text.Append('&');
            if (text.Length > Longest)
                return text.Append(Masked).ToString();
            if (parameter.IndexOf('=') is > 0 and var equals)
                text.Append(parameter[..Math.Min(equals, LongestName)]).Append('=');
            text.Append(Masked);
        }

        return text.ToString();
    }
}
