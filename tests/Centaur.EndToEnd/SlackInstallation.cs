using Centaur.Testing.Slack;

namespace Centaur.EndToEnd;

/// <summary>A Centaur that is in the emulated Slack, where <c>centaur-server</c> finds its secrets in the environment, as an operator gives them.</summary>
public sealed class SlackInstallation : Installation
{
    const string Secret = "a-signing-secret-of-the-test";
    SlackEmulator? slack;

    internal SlackEmulator Slack => slack ?? throw new InvalidOperationException("Not started.");

    internal SlackSender Sender { get; } = new(Secret);

    protected override string MoreConfiguration =>
        $$"""
        harness: {default: built-in}
        slack: {api_url: "{{Slack.ApiUrl}}", timeout_seconds: 2, lease_seconds: 4, retry_seconds: 0.5, poll_seconds: 0.5}
        """.ReplaceLineEndings("\n");

    public override async ValueTask InitializeAsync()
    {
        slack = await SlackEmulator.Start(CancellationToken.None);
        Variables["SLACK_BOT_TOKEN"] = SlackEmulator.BotToken;
        Variables["SLACK_SIGNING_SECRET"] = Secret;
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (slack is not null)
            await slack.DisposeAsync();
    }
}
