namespace Centaur.Server.Platform.Http;

public static class RouteText
{
    /// <summary>
    /// A route value as the client meant it. Routing leaves <c>%2F</c> encoded, so that a key with a slash would not be itself; the raw target tells
    /// <c>%2F</c> from <c>%252F</c>.
    /// </summary>
    public static string RouteValue(this HttpContext http, string name)
    {
        var value = (string?)http.Request.RouteValues[name] ?? "";
        if (!value.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            return value;
        var target = http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()?.RawTarget ?? "";
        var segments = target.Split('?')[0].Split('/');
        var segment = Array.Find(segments, s => string.Equals(Decoded(s), value, StringComparison.OrdinalIgnoreCase));
        return segment is null ? value : Uri.UnescapeDataString(segment);

        static string Decoded(string segment) =>
            string.Join("%2f", segment.Split(["%2f", "%2F"], StringSplitOptions.None).Select(Uri.UnescapeDataString));
    }
}
