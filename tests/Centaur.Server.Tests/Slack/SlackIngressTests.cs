using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Centaur.Testing.Slack;

namespace Centaur.Server.Tests.Slack;

/// <summary>What is taken from Slack, and what is refused before anything is stored.</summary>
public sealed class SlackIngressTests(SlackFixture fixture, PostgresServer postgres) : IClassFixture<SlackFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/webhooks/slack")]
    [InlineData("/api/slack/events")]
    public async Task Slack_proves_the_address_with_a_challenge(string path)
    {
        var (status, json) = await fixture.Send(fixture.Sender.Request("""{"type":"url_verification","token":"x","challenge":"3eZbrw1a"}""", path));
        status.ShouldBe(HttpStatusCode.OK);
        json!.ToJsonString().ShouldBe("""{"challenge":"3eZbrw1a"}""");
    }

    [Theory]
    [InlineData(-301)]
    [InlineData(-86_400)]
    [InlineData(302)]
    public async Task F17_a_request_from_another_time_is_401_and_leaves_nothing(int seconds)
    {
        var before = await Rows();
        var (status, json) = await fixture.Send(fixture.Sender.Request(Mention(), at: TimeProvider.System.GetUtcNow().AddSeconds(seconds)));
        status.ShouldBe(HttpStatusCode.Unauthorized);
        ((string)json!["detail"]!).ShouldBe("Invalid Slack signature");
        (await Rows()).ShouldBe(before);
    }

    [Fact]
    public async Task F17_a_signature_is_good_for_its_own_body_alone()
    {
        var before = await Rows();
        (await fixture.Send(fixture.Sender.Request(Mention(), signedBody: Mention()))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await fixture.Send(new SlackSender("another secret").Request(Mention()))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await fixture.Send(new SlackSender("").Request(Mention()))).Status.ShouldBe(HttpStatusCode.Unauthorized);
        using var unsigned = new HttpRequestMessage(HttpMethod.Post, SlackSender.Path) { Content = new StringContent(Mention(), Encoding.UTF8, "application/json") };
        (await fixture.Send(unsigned)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await Rows()).ShouldBe(before);
    }

    [Fact]
    public async Task F17_both_secrets_are_good_during_a_rotation()
    {
        (await fixture.Send(new SlackSender(SlackFixture.PreviousSecret).Request(Mention()))).Status.ShouldBe(HttpStatusCode.OK);
        (await fixture.Send(new SlackSender(SlackFixture.Secret).Request(Mention()))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("")]
    [InlineData("anything")]
    public async Task F17_a_server_without_a_secret_refuses_every_request(string signedWith)
    {
        await using var server = new ServerFixture(postgres) { Variables = new Dictionary<string, string> { ["SLACK_SIGNING_SECRET"] = "" } };
        await server.Start(Cancel);
        using var request = new SlackSender(signedWith).Request(Mention());
        using var response = await server.Public.SendAsync(request, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F18_a_body_of_ten_megabytes_is_413()
    {
        var request = fixture.Sender.Request(new string('x', 10_000_000));
        // Who is refused before it has sent all of it would not hear why.
        request.Headers.ExpectContinue = true;
        var (status, _) = await fixture.Send(request);
        status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"type":"event_callback"}""")]
    [InlineData("""{"type":"event_callback","team_id":"T1","event_id":"Ev 1; drop","event":{"type":"message"}}""")]
    [InlineData("""{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"message","channel":"C1","ts":"../../x"}}""")]
    [InlineData("""{"type":"event_callback","type":"event_callback"}""")]
    public async Task F18_what_Slack_would_not_send_is_400(string body)
    {
        var (status, json) = await fixture.Send(fixture.Sender.Request(body));
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["error"]!).ShouldBe("invalid_slack_payload");
    }

    [Fact]
    public async Task F18_deep_JSON_is_refused_and_long_or_strange_text_is_taken()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"a":""", 500)) + "1" + new string('}', 500);
        (await fixture.Send(fixture.Sender.Request(deep))).Status.ShouldBe(HttpStatusCode.BadRequest);

        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var inner = SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> a\u200bb\u202ec {new string('x', 50_000)}");
        inner["blocks"] = new JsonArray([.. Enumerable.Range(0, 500).Select(i => (JsonNode)new JsonObject { ["type"] = "divider", ["block_id"] = $"b{i}" })]);
        (await fixture.Send(inner)).Status.ShouldBe(HttpStatusCode.OK);
        (await fixture.Handled(channel, ts)).State.ShouldBe("started");
    }

    [Fact]
    public async Task F15_one_event_four_times_and_as_both_types_is_one_turn()
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var text = $"<@{FakeSlack.BotUser}> hello";
        var answers = new List<JsonNode?>();
        for (var i = 0; i < 4; i++)
            answers.Add((await fixture.Send(SlackSender.Mention(channel, "U0ALICE", ts, text), $"EvM{channel}")).Json);
        answers.Add((await fixture.Send(SlackSender.Mention(channel, "U0ALICE", ts, text, type: "message"), $"EvN{channel}")).Json);

        answers.Select(a => a!.ToJsonString()).ShouldBe(["""{"ok":true}""", .. Enumerable.Repeat("""{"ok":true,"duplicate":true}""", 4)]);
        await fixture.Handled(channel, ts);
        (await fixture.Executions(SlackFixture.ThreadKey(channel, ts))).ShouldBe(1);
    }

    [Fact]
    public async Task F2_what_was_not_committed_is_not_200_and_the_retry_is_the_one_run()
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var body = SlackSender.Envelope(FakeSlack.TeamId, SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> hello")).ToJsonString();

        await postgres.Interrupt(
            fixture.Server.ConnectionString,
            async () => (await fixture.Send(fixture.Sender.Request(body))).Status.ShouldBe(HttpStatusCode.ServiceUnavailable),
            Cancel);
        (await fixture.Send(fixture.Sender.Request(body))).Json!.ToJsonString().ShouldBe("""{"ok":true}""");

        (await fixture.Handled(channel, ts)).State.ShouldBe("started");
        (await fixture.Executions(SlackFixture.ThreadKey(channel, ts))).ShouldBe(1);
    }

    Task<long> Rows() => fixture.Database.First($"select count(*) from slack_inbox", row => row.GetInt64(0), Cancel);

    static string Mention() =>
        SlackSender.Envelope(FakeSlack.TeamId, SlackSender.Mention(SlackFixture.NewChannel(), "U0ALICE", SlackFixture.NewTs(), $"<@{FakeSlack.BotUser}> hello")).ToJsonString();
}
