using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Centaur.Testing.Slack;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Slack;

/// <summary>A server with Slack on, and the fake Slack that it speaks to. Every test has a channel of its own.</summary>
public sealed class SlackFixture(PostgresServer postgres) : IAsyncLifetime
{
    public const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";
    public const string PreviousSecret = "an-older-secret-of-the-same-app";
    static int channels;
    static int messages;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public FakeSlack Slack { get; private set; } = null!;

    public ServerFixture Server { get; private set; } = null!;

    public SlackSender Sender { get; } = new(Secret);

    public PostgresDatabase Database => Server.Services.GetRequiredService<PostgresDatabase>();

    public static string NewChannel() => $"C0{Interlocked.Increment(ref channels):D6}";

    /// <summary>Later than every one before.</summary>
    public static string NewTs() => $"17{Interlocked.Increment(ref messages):D8}.000100";

    public async ValueTask InitializeAsync()
    {
        Slack = await FakeSlack.Start(CancellationToken.None);
        Server = new ServerFixture(postgres)
        {
            Yaml = $"slack: {{api_url: \"{Slack.ApiUrl}\", timeout_seconds: 1, lease_seconds: 2, retry_seconds: 0.2, max_retry_seconds: 1, poll_seconds: 0.2, allowed_bots: [\"bot:B0GOOD\"], allowed_teams: [T0FRIEND]}}\n",
            Variables = new Dictionary<string, string>
            {
                ["SLACK_BOT_TOKEN"] = FakeSlack.BotToken, ["SLACK_SIGNING_SECRET"] = Secret, ["SLACK_SIGNING_SECRET_PREVIOUS"] = PreviousSecret,
            },
        };
        await Server.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Slack.DisposeAsync();
    }

    public async Task<(HttpStatusCode Status, JsonNode? Json)> Send(HttpRequestMessage request)
    {
        using (request)
        using (var response = await Server.Public.SendAsync(request, Cancel))
        {
            var text = await response.Content.ReadAsStringAsync(Cancel);
            return (response.StatusCode, text.Length > 0 ? JsonNode.Parse(text) : null);
        }
    }

    public Task<(HttpStatusCode Status, JsonNode? Json)> Send(JsonObject inner, string? eventId = null, string teamId = FakeSlack.TeamId) =>
        Send(Sender.Request(SlackSender.Envelope(teamId, inner, eventId).ToJsonString()));

    /// <summary>Mentions the bot and waits for the execution that comes of it.</summary>
    public async Task<string> Ask(string channel, string ts, string text, string? threadTs = null)
    {
        (await Send(SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> {text}", threadTs))).Status.ShouldBe(HttpStatusCode.OK);
        return (await Handled(channel, ts)).ExecutionId!;
    }

    /// <summary>Waits until a message has been handled.</summary>
    public async Task<(string State, string? Outcome, string? ExecutionId)> Handled(string channel, string ts)
    {
        while (true)
        {
            var row = await Database.First(
                $"select state, outcome, execution_id from slack_inbox where channel_id = {channel} and message_ts = {ts} and state <> 'pending' and kind = 'message'",
                row => (State: row.GetString(0), Outcome: row.IsDBNull(1) ? null : row.GetString(1), ExecutionId: row.IsDBNull(2) ? null : row.GetString(2)),
                Cancel);
            if (row.State is not null)
                return row;
            await Task.Delay(20, Cancel);
        }
    }

    /// <summary>Waits until a delivery stands where it should.</summary>
    public async Task Reaches(string executionId, string state)
    {
        while (await Database.First($"select state from agent_final_delivery_outbox where execution_id = {executionId}", row => row.GetString(0), Cancel) != state)
            await Task.Delay(20, Cancel);
    }

    public Task<long> Executions(string threadKey) =>
        Database.First($"select count(*) from agent_execution_requests where thread_key = {threadKey}", row => row.GetInt64(0), Cancel);

    public static string ThreadKey(string channel, string ts) => $"slack:{FakeSlack.TeamId}:{channel}:{ts}";
}
