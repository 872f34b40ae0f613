using System.Text;

namespace Centaur.Proxy.Front;

/// <summary>An answer that this proxy gives itself: a status, a code that programs read, and a text that an agent can act on.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">One of <see cref="RefusalCodes"/>.</param>
/// <param name="What">What was refused or failed, in a sentence. Never holds a value or a placeholder.</param>
/// <param name="Advice">What to do about it.</param>
sealed record Refusal(int Status, string Code, string What, string Advice)
{
    public const string DeniedHeader = "X-Centaur-Denied";

    /// <summary>The name of the secret that the request asked for and did not get; null where none is in question.</summary>
    public string? Secret { get; init; }

    /// <summary>True for what the proxy tried and could not do, as opposed to what it forbids.</summary>
    public bool IsFailure => Status is 502 or 503 or 504;

    public string Body => $"centaur-proxy: {Code}\n{What}\n{Advice}\n";

    public byte[] ToConnectResponse()
    {
        var body = Encoding.UTF8.GetBytes(Body);
        var retry = Status == 429 ? "Retry-After: 1\r\n" : "";
        var head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {Status} {Phrase(Status)}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {body.Length}\r\n{DeniedHeader}: {Code}\r\n{retry}Connection: close\r\n\r\n");
        return [.. head, .. body];
    }

    static string Phrase(int status) => status switch
    {
        400 => "Bad Request",
        403 => "Forbidden",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Refused",
    };
}
