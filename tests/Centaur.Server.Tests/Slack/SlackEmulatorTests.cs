using Centaur.Server.Platform.Database;
using Centaur.Server.Tests.Executions;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Centaur.Testing.Slack;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Slack;

/// <summary>The same against a Slack that somebody else wrote.</summary>
public sealed class SlackEmulatorTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mention_in_the_emulated_workspace_gets_one_answer_in_its_thread_and_a_lapsed_lease_no_second()
    {
        await using var slack = await SlackEmulator.Start(Cancel);
        await using var server = new ServerFixture(postgres)
        {
            Yaml = $"slack: {{api_url: \"{slack.ApiUrl}\", timeout_seconds: 1, lease_seconds: 2, poll_seconds: 0.2}}\n",
            Variables = new Dictionary<string, string> { ["SLACK_BOT_TOKEN"] = SlackEmulator.BotToken, ["SLACK_SIGNING_SECRET"] = SlackFixture.Secret },
        };
        await server.Start(Cancel);
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        var ts = await slack.Say($"<@{slack.BotUser}> ping", null, Cancel);
        using var request = new SlackSender(SlackFixture.Secret).Request(
            SlackSender.Envelope(slack.TeamId, SlackSender.Mention(slack.Channel, slack.Person, ts, $"<@{slack.BotUser}> ping")).ToJsonString());
        using var response = await server.Public.SendAsync(request, Cancel);
        response.EnsureSuccessStatusCode();

        string? execution;
        while ((execution = await database.First($"select execution_id from slack_inbox where state = 'started'", row => row.GetString(0), Cancel)) is null)
            await Task.Delay(20, Cancel);
        await server.Finish(execution, "PONG");
        while (await database.First($"select state from agent_final_delivery_outbox", row => row.GetString(0), Cancel) != "delivered")
            await Task.Delay(20, Cancel);
        // As if the deliverer had been killed before it could say so: the next attempt reads the thread.
        await database.Execute(
            $"""
            update agent_final_delivery_outbox
            set state = 'sending', delivered_at = null, lease_owner = 'killed', lease_expires_at = clock_timestamp() - interval '1 second'
            """,
            Cancel);
        while (await database.First($"select state from agent_final_delivery_outbox", row => row.GetString(0), Cancel) != "delivered")
            await Task.Delay(20, Cancel);

        var answer = (await slack.Answers(ts, Cancel)).Single();
        ((string)answer["text"]!).ShouldBe("PONG");
        ((string)answer["metadata"]!["event_payload"]!["execution_id"]!).ShouldBe(execution);
    }
}
