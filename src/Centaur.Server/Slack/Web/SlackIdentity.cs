namespace Centaur.Server.Slack.Web;

/// <summary>Who this bot is, asked once.</summary>
internal sealed class SlackIdentity(ISlackClient client, ILogger<SlackIdentity> log)
{
    SlackSelf? self;

    /// <summary>Null where Slack does not say it now; the reason is in the log.</summary>
    public async Task<SlackSelf?> Find(CancellationToken cancellationToken)
    {
        if (self is not null)
            return self;
        var answer = await client.WhoAmI(cancellationToken);
        if (answer.Failure is { } failure)
        {
            log.NotConnected(failure.Error);
            return null;
        }

        log.Connected(answer.Value!.UserId, answer.Value.TeamId);
        return self = answer.Value;
    }
}
