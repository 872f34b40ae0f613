using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Centaur.Server.Tests.Executions;
using Centaur.Testing.Server;
using Centaur.Testing.Slack;

namespace Centaur.Server.Tests.Slack;

/// <summary>From a mention to a turn.</summary>
public sealed class SlackTurnTests(SlackFixture fixture) : IClassFixture<SlackFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mention_becomes_a_turn_on_the_thread_of_its_Slack_thread()
    {
        var (channel, root, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs(), SlackFixture.NewTs());
        var execution = await fixture.Ask(channel, ts, "fix &lt;main&gt; &amp; push", root);

        var threadKey = SlackFixture.ThreadKey(channel, root);
        var (_, view) = await fixture.Server.Api.Get($"/agent/executions/{execution}");
        ((string)view!["thread_key"]!).ShouldBe(threadKey);
        ((string)view["metadata"]!["requested_by"]!).ShouldBe($"slack:{FakeSlack.TeamId}:U0ALICE");
        var (_, page) = await fixture.Server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}");
        var message = page!["messages"]!.AsArray().Single()!;
        ((string)message["user_id"]!).ShouldBe("U0ALICE");
        ((string)message["metadata"]!["message_id"]!).ShouldBe(SlackFixture.ThreadKey(channel, ts));
        ((string)message["parts"]![0]!["text"]!).ShouldBe("fix <main> & push");
        var delivery = await fixture.Database.First($"select delivery::text from agent_final_delivery_outbox where execution_id = {execution}", row => row.GetString(0), Cancel);
        JsonNode.DeepEquals(
            JsonNode.Parse(delivery!),
            JsonNode.Parse($$"""{"platform":"slack","channel":"{{channel}}","thread_ts":"{{root}}","recipient_user_id":"U0ALICE","recipient_team_id":"{{FakeSlack.TeamId}}"}""")).ShouldBeTrue(delivery);
    }

    [Fact]
    public async Task Two_mentions_in_a_thread_are_two_turns_of_one_thread()
    {
        var (channel, root) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        await fixture.Ask(channel, root, "one");
        await fixture.Ask(channel, SlackFixture.NewTs(), "two", root);
        (await fixture.Executions(SlackFixture.ThreadKey(channel, root))).ShouldBe(2);
    }

    [Fact]
    public async Task F16_messages_of_a_thread_are_handled_by_their_ts_whatever_came_first()
    {
        var (channel, root, reply, other) = (SlackFixture.NewChannel(), SlackFixture.NewTs(), SlackFixture.NewTs(), SlackFixture.NewTs());
        fixture.Slack.IsDown = true;
        await fixture.Server.Restart(Cancel);
        foreach (var ts in (string[])[other, reply, root])
            (await fixture.Send(SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> {ts}", ts == root ? null : root))).Status.ShouldBe(HttpStatusCode.OK);
        fixture.Slack.IsDown = false;
        await fixture.Handled(channel, other);

        var (_, page) = await fixture.Server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(SlackFixture.ThreadKey(channel, root))}");
        page!["messages"]!.AsArray().Select(m => (string)m!["parts"]![0]!["text"]!).ShouldBe([root, reply, other]);
    }

    [Theory]
    [InlineData("message_changed", "edit")]
    [InlineData("message_deleted", "delete")]
    public async Task F16_an_edit_or_a_delete_is_recorded_and_starts_nothing(string subtype, string kind)
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var changed = new JsonObject
        {
            ["type"] = "message", ["subtype"] = subtype, ["channel"] = channel, ["ts"] = SlackFixture.NewTs(), ["deleted_ts"] = ts,
            ["message"] = SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> edited"),
        };
        (await fixture.Send(changed)).Json!.ToJsonString().ShouldBe("""{"ok":true}""");

        var recorded = await fixture.Database.First(
            $"select kind || ' ' || state || ' ' || message_ts from slack_inbox where channel_id = {channel}", row => row.GetString(0), Cancel);
        recorded.ShouldBe($"{kind} ignored {ts}");
        // The message itself, which comes after its own edit, still starts its turn.
        await fixture.Ask(channel, ts, "hello");
        (await fixture.Executions(SlackFixture.ThreadKey(channel, ts))).ShouldBe(1);
    }

    [Fact]
    public async Task F1_what_was_taken_before_a_stop_is_handled_after_the_start()
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        fixture.Slack.IsDown = true;
        await fixture.Server.Restart(Cancel);
        (await fixture.Send(SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> hello"))).Status.ShouldBe(HttpStatusCode.OK);
        (await fixture.Executions(SlackFixture.ThreadKey(channel, ts))).ShouldBe(0);

        fixture.Slack.IsDown = false;
        await fixture.Server.Restart(Cancel);

        (await fixture.Handled(channel, ts)).State.ShouldBe("started");
        (await fixture.Executions(SlackFixture.ThreadKey(channel, ts))).ShouldBe(1);
    }

    [Fact]
    public async Task F22_a_stranger_of_another_workspace_starts_nothing_and_leaves_no_thread()
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var inner = SlackSender.Mention(channel, "U0GUEST", ts, $"<@{FakeSlack.BotUser}> hello");
        inner["user_team"] = "T0STRANGER";
        await fixture.Send(inner);

        (await fixture.Handled(channel, ts)).ShouldBe(("ignored", "workspace that is not allowed", null));
        (await fixture.Database.First(
            $"select count(*) from agent_runtime_assignments where thread_key = {SlackFixture.ThreadKey(channel, ts)}", row => row.GetInt64(0), Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task A_refusal_is_told_to_the_author_in_the_thread_once()
    {
        var (channel, root) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        for (var i = 0; i < 3; i++)
        {
            var execution = await fixture.Ask(channel, i == 0 ? root : SlackFixture.NewTs(), "try", root);
            await fixture.Server.Finish(execution, "", ExecutionStatus.FailedPermanent, "it broke");
            await fixture.Reaches(execution, "delivered");
        }

        var last = SlackFixture.NewTs();
        await fixture.Send(SlackSender.Mention(channel, "U0ALICE", last, $"<@{FakeSlack.BotUser}> again", root));
        (await fixture.Handled(channel, last)).State.ShouldBe("refused");
        await fixture.Reaches(SlackFixture.ThreadKey(channel, last), "delivered");

        var told = fixture.Slack.Thread(channel, root).Select(m => (string)m["text"]!).ToList();
        told.Count.ShouldBe(4);
        told[^1].ShouldContain("3 executions of this thread failed");
        var (_, page) = await fixture.Server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(SlackFixture.ThreadKey(channel, root))}");
        page!["messages"]!.AsArray().Count(m => (string)m!["role"]! == "user").ShouldBe(3, "a refused message leaves nothing half-done");
    }

    [Theory]
    [InlineData(2, "started")]
    [InlineData(null, "refused")]
    public async Task What_cannot_be_handled_is_tried_again_and_in_the_end_told_to_its_author(int? failures, string end)
    {
        var (channel, ts) = (SlackFixture.NewChannel(), SlackFixture.NewTs());
        var thread = SlackFixture.ThreadKey(channel, ts);
        await fixture.Database.Execute($"create table if not exists faults (thread_key text primary key, channel_id text, failures int)", Cancel);
        await fixture.Database.Execute(
            $"""
            create or replace function fail_some() returns trigger language plpgsql as
            'begin
                 if exists (select from faults f join slack_inbox i on i.channel_id = f.channel_id
                            where f.thread_key = new.thread_key and (f.failures is null or i.attempts < f.failures)) then
                     raise exception ''a fault that nobody foresaw'';
                 end if;
                 return new;
             end'
            """,
            Cancel);
        await fixture.Database.Execute($"create or replace trigger fail_some before insert on agent_message_requests for each row execute function fail_some()", Cancel);
        await fixture.Database.Execute($"insert into faults values ({thread}, {channel}, {failures})", Cancel);

        await fixture.Send(SlackSender.Mention(channel, "U0ALICE", ts, $"<@{FakeSlack.BotUser}> hello"));

        (await fixture.Handled(channel, ts)).State.ShouldBe(end);
        (await fixture.Executions(thread)).ShouldBe(failures is null ? 0 : 1);
        if (failures is null)
        {
            await fixture.Reaches(thread, "delivered");
            ((string)fixture.Slack.Thread(channel, ts).Single()["text"]!).ShouldContain("Its operator finds the reason in the log.");
        }
    }
}
