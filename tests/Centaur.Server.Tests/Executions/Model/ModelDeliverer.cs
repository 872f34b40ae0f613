using System.Text.Json.Nodes;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Slack;
using Centaur.Server.Slack.Posting;
using Centaur.Server.Slack.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>One deliverer of a run: the product's own claims and its way to post, towards a Slack that remembers.</summary>
internal sealed class ModelDeliverer
{
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);
    static readonly SlackSelf Self = new("T1", "U1", "B1");

    /// <summary>
    /// Where a lease may end under its holder. Between the renewal and the post it may not: a deliverer that stands still there for a whole lease posts a second time, and nothing
    /// on this side of Slack can keep it from that.
    /// </summary>
    static readonly (string, CrashMoment)[] MayLapseAt =
        [("delivery.claim", CrashMoment.After), ("delivery.renew", CrashMoment.Before), ("delivery.delivered", CrashMoment.Before), ("delivery.delivered", CrashMoment.After)];

    readonly DeliveryClaims claims;
    readonly SlackPost post;
    readonly ModelSlack slack;
    int lapses;

    public ModelDeliverer(IServiceProvider services, ModelSlack slack, string name)
    {
        (Name, this.slack) = (name, slack);
        var database = new PostgresDatabase(services.GetRequiredService<NpgsqlDataSource>(), Gate.Points);
        claims = new DeliveryClaims(database, services.GetRequiredService<EventStore>(), services.GetRequiredService<DeliveryOptions>(), services.GetRequiredService<WakeUps>());
        post = new SlackPost(claims, slack.Through(Gate.Points), new SlackOptions { Lease = Lease }, NullLogger<SlackPost>.Instance);
    }

    public ModelGate Gate { get; } = new();

    public string Name { get; }

    public Task Work { get; private set; } = Task.CompletedTask;

    public bool IsBusy => !Work.IsCompleted;

    public bool IsDead { get; private set; }

    public bool MayLapse => Gate.HeldAt is { } at ? MayLapseAt.Contains(at) : IsDead;

    public void Begin(CancellationToken cancellationToken) => Work = Deliver(cancellationToken);

    public void Kill() => Gate.Die(() => IsDead = true);

    /// <summary>All its leases have ended: what it still does is done by one who holds nothing.</summary>
    public void Lapse()
    {
        lapses++;
        slack.LetGo(Name);
    }

    async Task Deliver(CancellationToken cancellationToken)
    {
        try
        {
            var before = lapses;
            var claimed = await claims.Claim(new DeliveryClaim(Name, 2, Lease, "slack") { SkipGrace = true }, cancellationToken);
            foreach (var delivery in claimed.Where(_ => lapses == before))
                slack.Hold(delivery.ExecutionId, Name);
            foreach (var delivery in claimed)
            {
                await post.Deliver(delivery, Name, Self, cancellationToken);
                slack.LetGo(delivery.ExecutionId, Name);
            }
        }
        catch (Exception e) when (e is ModelDeath || Outages.IsOutage(e))
        {
            // Killed, or cut off: whoever claims it next goes on.
        }
    }
}

/// <summary>What people see: every message that was posted, in order.</summary>
internal sealed class ModelSlack
{
    readonly Lock sync = new();
    readonly List<SlackOutgoing> posted = [];
    readonly Dictionary<string, string> holders = [];

    /// <summary>The executions whose answers were posted, one for each message.</summary>
    public IReadOnlyList<string> Posted
    {
        get
        {
            lock (sync)
                return posted.Select(message => (string)message.Metadata["event_payload"]!["execution_id"]!).ToList();
        }
    }

    /// <summary>Told of a delivery that two deliverers hold at once.</summary>
    public required Action<string> Report { get; init; }

    public void Hold(string executionId, string deliverer)
    {
        lock (sync)
        {
            if (holders.TryGetValue(executionId, out var other) && other != deliverer)
                Report($"{deliverer} was given {executionId}, which {other} holds");
            holders[executionId] = deliverer;
        }
    }

    public void LetGo(string executionId, string deliverer)
    {
        lock (sync)
        {
            if (holders.GetValueOrDefault(executionId) == deliverer)
                holders.Remove(executionId);
        }
    }

    public void LetGo(string deliverer)
    {
        lock (sync)
        {
            foreach (var held in holders.Where(h => h.Value == deliverer).Select(h => h.Key).ToList())
                holders.Remove(held);
        }
    }

    public ISlackClient Through(CrashPoints points) => new Client(this, points);

    sealed class Client(ModelSlack slack, CrashPoints points) : ISlackClient
    {
        static readonly CrashPoint Posting = new("slack.post");

        public Task<SlackAnswer<SlackSelf>> WhoAmI(CancellationToken cancellationToken) => throw new NotSupportedException();

        public async Task<SlackAnswer<string>> Post(SlackOutgoing message, CancellationToken cancellationToken)
        {
            await points.Reach(Posting, CrashMoment.Before);
            lock (slack.sync)
                slack.posted.Add(message);
            await points.Reach(Posting, CrashMoment.After);
            return "1.1";
        }

        public Task<SlackAnswer<IReadOnlyList<SlackReply>>> Replies(string channel, string threadTs, CancellationToken cancellationToken)
        {
            lock (slack.sync)
            {
                IReadOnlyList<SlackReply> replies = slack.posted.Where(m => m.Channel == channel && m.ThreadTs == threadTs)
                    .Select(m => new SlackReply("U1", "B1", "1.1", m.Metadata.DeepClone().AsObject())).ToList();
                return Task.FromResult<SlackAnswer<IReadOnlyList<SlackReply>>>(new SlackAnswer<IReadOnlyList<SlackReply>>(replies, null));
            }
        }
    }
}
