using Centaur.Server.Platform.Configuration;
using Centaur.Server.Slack.Ingress;
using Centaur.Server.Slack.Posting;
using Centaur.Server.Slack.Turns;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Slack;

/// <summary>
/// Slack in front of the threads: a mention is stored before Slack hears that it was taken, becomes a turn on the thread of its Slack thread, and the answer is posted there once.
/// Anybody in the workspace may ask; other bots and other workspaces only where the operator allows them. Nothing below knows Slack.
/// </summary>
public static class SlackSlice
{
    public static void AddSlack(this IServiceCollection services, Settings settings)
    {
        var options = SlackOptions.Read(settings);
        services.AddSingleton(options);
        services.AddSingleton<SlackSignature>();
        services.AddSingleton<SlackInboxStore>();
        if (!options.IsOn)
            return;
        services.AddSingleton<ISlackClient, SlackClient>();
        services.AddSingleton<SlackIdentity>();
        services.AddSingleton<SlackTurn>();
        services.AddSingleton<SlackPost>();
        services.AddHostedService<SlackInboxWorker>();
        services.AddHostedService<SlackDeliveryWorker>();
    }

    /// <summary>The routes are there always; without a signing secret every request is refused.</summary>
    public static void MapSlack(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<SlackOptions>();
        if (!options.IsOn && (options.BotToken is not null || options.SigningSecrets.Count > 0))
            app.Logger.HalfConfigured();
        SlackEventsEndpoint.Map(app);
    }
}
