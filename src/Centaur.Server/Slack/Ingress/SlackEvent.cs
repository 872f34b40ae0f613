using System.Text.Json;

namespace Centaur.Server.Slack.Ingress;

/// <summary>What an event of Slack is to the inbox.</summary>
internal enum SlackEventKind
{
    /// <summary>May start a turn, once its author and its words are looked at.</summary>
    Message,
    Edit,
    Delete,
    Other,
}

/// <summary>An <c>event_callback</c> of Slack, as far as the inbox needs to know it.</summary>
/// <param name="EventId">The same event comes under the same id, however often.</param>
/// <param name="TeamId">The workspace.</param>
/// <param name="Kind">What it is.</param>
/// <param name="ChannelId">The channel, where it has one.</param>
/// <param name="MessageTs">The message's own id within the channel, or that of the message it changes.</param>
/// <param name="ThreadTs">The root of the thread.</param>
/// <param name="WhyIgnored">Why it starts nothing; null for messages.</param>
internal sealed record SlackEvent(
    string EventId, string TeamId, SlackEventKind Kind, string? ChannelId, string? MessageTs, string? ThreadTs, string? WhyIgnored)
{
    const int MaxId = 100;

    /// <summary>Null where it is no event that Slack could have sent.</summary>
    public static SlackEvent? Of(JsonElement root)
    {
        if (Id(root, "event_id") is not { } eventId || Id(root, "team_id") is not { } teamId
            || !root.TryGetProperty("event", out var inner) || inner.ValueKind != JsonValueKind.Object || Text(inner, "type") is not { } type)
            return null;
        var channel = Id(inner, "channel");
        if (type is not ("message" or "app_mention"))
            return new SlackEvent(eventId, teamId, SlackEventKind.Other, channel, null, null, $"type {Short(type)}");

        switch (Text(inner, "subtype"))
        {
            case "message_changed":
                return Change(SlackEventKind.Edit, Nested(inner, "message", "ts"), "edited");
            case "message_deleted":
                return Change(SlackEventKind.Delete, Ts(inner, "deleted_ts"), "deleted");
            case { } subtype when !Counts(subtype, type, inner):
                return Change(SlackEventKind.Other, Ts(inner, "ts"), $"subtype {Short(subtype)}");
        }

        if (channel is null || Ts(inner, "ts") is not { } ts)
            return null;
        return new SlackEvent(eventId, teamId, SlackEventKind.Message, channel, ts, Ts(inner, "thread_ts") ?? ts, null);

        SlackEvent Change(SlackEventKind kind, string? of, string why) => new(eventId, teamId, kind, channel, of, Ts(inner, "thread_ts") ?? of, why);
    }

    /// <summary>A message with files comes as file_share, and where the bot is mentioned as an app_mention too; in a direct message it comes alone.</summary>
    static bool Counts(string subtype, string type, JsonElement inner) => subtype switch
    {
        "bot_message" or "thread_broadcast" => true,
        "file_share" => type == "app_mention" || Text(inner, "channel_type") is "im" or "mpim",
        _ => false,
    };

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    static string? Id(JsonElement element, string name) => Text(element, name) is { Length: <= MaxId } id && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? id : null;

    static string? Ts(JsonElement element, string name) => Text(element, name) is { Length: <= 32 } ts && ts.All(c => char.IsAsciiDigit(c) || c == '.') ? ts : null;

    static string? Nested(JsonElement element, string name, string inner) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? Ts(value, inner) : null;

    static string Short(string text) => text.Length <= MaxId ? text : text[..MaxId];
}
