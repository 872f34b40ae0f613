using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.Server.Slack.Ingress;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Slack.Turns;

/// <summary>What a message asks for: a turn with this text, or nothing for a reason.</summary>
/// <param name="UserId">Who wrote it; a bot's own id where it is no user.</param>
/// <param name="Text">What the agent is told, without the mention of itself.</param>
/// <param name="WhyIgnored">Null where it asks.</param>
internal sealed record SlackAsk(string UserId, string Text, string? WhyIgnored);

/// <summary>
/// Whether a message asks the agent (contract §8). 1. Not what this bot wrote. 2. No other bot, unless it is allowed. 3. Nobody from another workspace, unless it is allowed: whoever
/// cannot be told from a stranger is one. 4. Only a mention, or a direct message. Identity is what Slack's signed event says, never what the text says.
/// </summary>
internal static partial class SlackTrigger
{
    public static SlackAsk Of(PendingMessage message, SlackSelf self, SlackOptions options)
    {
        var inner = message.Payload.GetProperty("event");
        var user = Text(inner, "user");
        var bot = Text(inner, "bot_id");

        // 1.
        if (user == self.UserId || (bot is not null && bot == self.BotId))
            return Ignored("own message");

        // 2.
        if ((bot is not null || Text(inner, "subtype") == "bot_message") && !IsAllowedBot(options, Text(inner, "app_id"), bot, user))
            return Ignored("bot that is not allowed");
        if ((user ?? bot) is not { } author)
            return Ignored("no author");

        // 3.
        string?[] teams = [message.TeamId, Text(inner, "team"), Text(inner, "user_team"), Text(inner, "source_team")];
        if (teams.Any(team => team is not null && team != self.TeamId && !options.AllowedTeams.Contains(team)))
            return Ignored("workspace that is not allowed");

        // 4.
        var text = Text(inner, "text") ?? "";
        var isMention = Text(inner, "type") == "app_mention" || Mentions().Matches(text).Any(m => m.Groups["id"].Value == self.UserId);
        if (!isMention && !IsDirect(inner, message.ChannelId))
            return Ignored("no mention");
        return new SlackAsk(author, Words(inner, text, self.UserId), null);
    }

    static SlackAsk Ignored(string why) => new("", "", why);

    static bool IsAllowedBot(SlackOptions options, string? app, string? bot, string? user) =>
        options.AllowedBots.Any(entry => Names(entry, "app:", app) || Names(entry, "bot:", bot) || Names(entry, "user:", user));

    static bool Names(string entry, string prefix, string? id) => id is not null && (entry == id || entry == prefix + id);

    static bool IsDirect(JsonElement inner, string channelId) =>
        Text(inner, "channel_type") is { } type ? type is "im" or "mpim" : channelId.StartsWith('D');

    static string Words(JsonElement inner, string text, string self)
    {
        var words = WebUtility.HtmlDecode(Mentions().Replace(text, m => m.Groups["id"].Value == self ? "" : m.Value)).Trim();
        var files = inner.TryGetProperty("files", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(f => f.ValueKind == JsonValueKind.Object).Select(f => Text(f, "name") ?? "a file without a name").ToList()
            : [];
        // A file that is not read must not be missing in silence.
        if (files.Count > 0)
            words = $"{words}\n\n[Centaur: these files are attached to the message in Slack and were not handed over: {string.Join(", ", files)}. Say so if you need them.]".Trim();
        return words.Length > 0 ? words : "(The message holds nothing but a mention of you.)";
    }

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    [GeneratedRegex(@"<@(?<id>[A-Z0-9]{1,100})(\|[^<>]{0,200})?>", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Mentions();
}
