using System.Globalization;
using System.Text;

namespace Centaur.ProxyConformance.Play;

/// <summary>Reads an answer of HTTP/1.1 out of the bytes of a connection that has ended, as strictly as a client must.</summary>
static class Http1Answer
{
    /// <param name="raw">From the status line on.</param>
    /// <param name="method">Of the request.</param>
    /// <param name="certificate">Names that the client was shown.</param>
    public static Answer Read(string raw, string method, IReadOnlyList<string> certificate)
    {
        var start = raw;
        // Interim answers go before the one that counts.
        while (start.StartsWith("HTTP/1.1 100", StringComparison.Ordinal) && start.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var interim)
            start = start[(interim + 4)..];
        var end = start.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (!start.StartsWith("HTTP/1.", StringComparison.Ordinal) || end < 0)
            return new Answer { Raw = raw, Whole = false, Certificate = certificate };
        var lines = start[..end].Split("\r\n");
        var status = int.Parse(lines[0].AsSpan(9, 3), CultureInfo.InvariantCulture);
        var headers = Headers(lines.Skip(1));
        var rest = start[(end + 4)..];
        var (body, trailers, whole) = Body(rest, headers, method == "HEAD" || status is 204 or 304 or < 200);
        return new Answer { Status = status, Headers = headers, Trailers = trailers, Body = body, Whole = whole, Raw = raw, Certificate = certificate };
    }

    static List<KeyValuePair<string, string>> Headers(IEnumerable<string> lines) =>
        [.. lines.Select(line => line.Split(':', 2)).Select(pair => KeyValuePair.Create(pair[0], pair.Length > 1 ? pair[1].Trim() : ""))];

    static (string Body, IReadOnlyList<KeyValuePair<string, string>> Trailers, bool Whole) Body(string rest, List<KeyValuePair<string, string>> headers, bool none)
    {
        if (none)
            return ("", [], rest.Length == 0);
        if (Answer.Find(headers, "Transfer-Encoding") is "chunked")
            return Chunked(rest);
        if (Answer.Find(headers, "Content-Length") is { } length)
        {
            var bytes = int.Parse(length, CultureInfo.InvariantCulture);
            return rest.Length >= bytes ? (rest[..bytes], [], true) : (rest, [], false);
        }

        return (rest, [], true);
    }

    static (string Body, IReadOnlyList<KeyValuePair<string, string>> Trailers, bool Whole) Chunked(string rest)
    {
        var body = new StringBuilder();
        while (rest.IndexOf("\r\n", StringComparison.Ordinal) is > 0 and var line && int.TryParse(rest.AsSpan(0, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var size))
        {
            rest = rest[(line + 2)..];
            if (size == 0)
            {
                var last = rest.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                var trailers = last < 0 ? [] : Headers(rest[..last].Split("\r\n"));
                return (body.ToString(), trailers, last >= 0 || rest.StartsWith("\r\n", StringComparison.Ordinal));
            }

            if (rest.Length < size + 2)
                break;
            body.Append(rest, 0, size);
            rest = rest[(size + 2)..];
        }

        return (body.Append(rest).ToString(), [], false);
    }
}
