using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Centaur.Testing.Slack;

/// <summary>Slack as it calls us: events under its signature.</summary>
public sealed class SlackSender(string secret)
{
    public const string Path = "/api/webhooks/slack";

    /// <summary>A request as Slack signs it.</summary>
    public HttpRequestMessage Request(string body, string path = Path, DateTimeOffset? at = null, string? signedBody = null)
    {
        var timestamp = (at ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"v0:{timestamp}:{signedBody ?? body}"));
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Slack-Request-Timestamp", timestamp);
        request.Headers.Add("X-Slack-Signature", "v0=" + Convert.ToHexStringLower(signature));
        return request;
    }

    /// <summary>The envelope of an event.</summary>
    public static JsonObject Envelope(string teamId, JsonObject inner, string? eventId = null) => new()
    {
        ["type"] = "event_callback", ["team_id"] = teamId, ["api_app_id"] = "A0TEST", ["event_id"] = eventId ?? "Ev" + Guid.CreateVersion7().ToString("N"),
        ["event_time"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), ["event"] = inner,
    };

    /// <summary>Somebody's message that mentions somebody.</summary>
    public static JsonObject Mention(string channel, string user, string ts, string text, string? threadTs = null, string type = "app_mention")
    {
        var inner = new JsonObject { ["type"] = type, ["channel"] = channel, ["user"] = user, ["ts"] = ts, ["text"] = text, ["event_ts"] = ts };
        if (threadTs is not null)
            inner["thread_ts"] = threadTs;
        if (type == "message")
            inner["channel_type"] = "channel";
        return inner;
    }
}
