using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Centaur.ProxyConformance.Scenery;

/// <summary>Fills a script's text with what the origin was sent.</summary>
static partial class Echo
{
    public static string Fill(string text, SeenByOrigin request) => Mark().Replace(text, match => (match.Groups["kind"].Value, match.Groups["name"].Value) switch
    {
        ("target", _) => request.Target,
        ("body", _) => request.Body,
        ("header", var name) => request.Header(name) ?? "",
        ("base64", var name) => Convert.ToBase64String(Encoding.Latin1.GetBytes(request.Header(name) ?? "")),
        ("percent", var name) => Uri.EscapeDataString(request.Header(name) ?? ""),
        ("json", var name) => JsonSerializer.Serialize(request.Header(name) ?? "")[1..^1],
        _ => match.Value,
    });

    [GeneratedRegex(@"\$\{(?<kind>target|body|header|base64|percent|json)(:(?<name>[\w-]+))?\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Mark();
}
