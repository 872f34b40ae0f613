using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Slack;

/// <summary>Slack is off unless both the bot's token and the signing secret are in the environment.</summary>
public sealed record SlackOptions
{
    /// <summary>The bot's token (<c>xoxb-…</c>).</summary>
    public SecretText? BotToken { get; init; }

    /// <summary>What requests of Slack are signed with: the present secret and, during a rotation, the one before it. Empty refuses every request.</summary>
    public IReadOnlyList<SecretText> SigningSecrets { get; init; } = [];

    public bool IsOn => BotToken is not null && SigningSecrets.Count > 0;

    /// <summary>Where Slack's Web API is.</summary>
    public Uri ApiUrl { get; init; } = new("https://slack.com/api/");

    /// <summary>Other bots that may ask: <c>app:</c>, <c>bot:</c> or <c>user:</c> and an id, or any id.</summary>
    public IReadOnlyList<string> AllowedBots { get; init; } = [];

    /// <summary>Ids of other workspaces whose members may ask.</summary>
    public IReadOnlyList<string> AllowedTeams { get; init; } = [];

    /// <summary>How old, or how far in the future, a signed request may be.</summary>
    public TimeSpan SignatureAge { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>A larger request of Slack is refused.</summary>
    public long MaxBody { get; init; } = 1 << 20;

    /// <summary>A call of the Web API that takes longer has failed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the inbox and the outbox are looked at where no wake-up comes.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After a failed attempt the next is made so much later, doubled each time.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>… but never more than this, unless Slack asks for more.</summary>
    public TimeSpan MaxRetry { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How long a claim of the deliverer holds; renewed before every post.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A mention that cannot be handled for so many attempts is refused, and its author is told.</summary>
    public int MaxAttempts { get; init; } = 10;

    /// <summary>Handled events are forgotten after so long. Slack repeats one for minutes.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(7);

    public static SlackOptions Read(Settings settings)
    {
        var section = settings.Root.Section("slack");
        var standard = new SlackOptions();
        var apiUrl = section.Text("api_url", standard.ApiUrl.ToString());
        if (!Uri.TryCreate(apiUrl.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
        {
            section.Report("api_url", $"\"{apiUrl}\" must be an address such as {standard.ApiUrl}");
            address = standard.ApiUrl;
        }

        var options = new SlackOptions
        {
            BotToken = SecretText.Of(settings, "SLACK_BOT_TOKEN"),
            // Without the present secret the one before it opens nothing.
            SigningSecrets = SecretText.Of(settings, "SLACK_SIGNING_SECRET") is { } present
                ? [present, .. SecretText.Of(settings, "SLACK_SIGNING_SECRET_PREVIOUS") is { } before ? [before] : Array.Empty<SecretText>()]
                : [],
            ApiUrl = address,
            AllowedBots = Listed("allowed_bots", "SLACKBOT_TRIGGER_BOT_ALLOWLIST"),
            AllowedTeams = Listed("allowed_teams", "SLACKBOT_EXTERNAL_ORG_ALLOWLIST"),
            SignatureAge = Seconds("signature_max_age_seconds", standard.SignatureAge, 1, 300, "SLACK_SIGNATURE_MAX_AGE_SECONDS"),
            MaxBody = section.Bytes("max_body", standard.MaxBody, 1024),
            Timeout = Seconds("timeout_seconds", standard.Timeout, 1, 120),
            Poll = Seconds("poll_seconds", standard.Poll, 0.1, 60),
            Retry = Seconds("retry_seconds", standard.Retry, 0.1, 600),
            MaxRetry = Seconds("max_retry_seconds", standard.MaxRetry, 0.1, 3600),
            Lease = Seconds("lease_seconds", standard.Lease, 1, 600),
            MaxAttempts = section.Number("max_attempts", standard.MaxAttempts, 1, 1000),
            Keep = TimeSpan.FromDays(section.Decimal("keep_days", standard.Keep.TotalDays, 1, 3650)),
        };
        if (options.Timeout * 2 > options.Lease)
            section.Report("timeout_seconds", "must be at most half of slack.lease_seconds, so that a slow post ends before another deliverer may take over");
        return options;

        TimeSpan Seconds(string key, TimeSpan fallback, double least, double most, string? variable = null) =>
            TimeSpan.FromSeconds(section.Decimal(key, fallback.TotalSeconds, least, most, variable));

        IReadOnlyList<string> Listed(string key, string variable)
        {
            var written = section.Texts(key);
            return settings.Variable(variable) is { } text ? text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : written;
        }
    }
}
