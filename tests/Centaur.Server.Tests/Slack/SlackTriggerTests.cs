using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Slack;
using Centaur.Server.Slack.Ingress;
using Centaur.Server.Slack.Turns;
using Centaur.Server.Slack.Web;

namespace Centaur.Server.Tests.Slack;

/// <summary>Who is heard (contract §8).</summary>
public sealed class SlackTriggerTests
{
    static readonly SlackOptions Options = new() { AllowedBots = ["app:A0GOOD", "bot:B0GOOD", "U0GOOD"], AllowedTeams = ["T0FRIEND"] };

    [Theory]
    [InlineData("""{"type":"app_mention","user":"U1","text":"<@U0BOT> hi"}""", "hi")]
    [InlineData("""{"type":"message","user":"U1","text":"hi <@U0BOT|centaur>, you"}""", "hi , you")]
    [InlineData("""{"type":"message","channel_type":"im","user":"U1","text":"hi <@U2>"}""", "hi <@U2>")]
    [InlineData("""{"type":"message","channel_type":"mpim","user":"U1","text":"hi"}""", "hi")]
    [InlineData("""{"type":"app_mention","user":"U1","text":"<@U0BOT>"}""", "(The message holds nothing but a mention of you.)")]
    [InlineData("""{"type":"app_mention","user":"U1","user_team":"T0FRIEND","text":"<@U0BOT> hi"}""", "hi")]
    [InlineData("""{"type":"app_mention","user":"U2","bot_id":"B0GOOD","text":"<@U0BOT> hi"}""", "hi")]
    [InlineData("""{"type":"app_mention","user":"U0GOOD","bot_id":"B3","text":"<@U0BOT> hi"}""", "hi")]
    [InlineData("""{"type":"message","subtype":"bot_message","bot_id":"B3","app_id":"A0GOOD","text":"<@U0BOT> hi"}""", "hi")]
    public void What_addresses_the_bot_is_heard_without_its_name(string inner, string text)
    {
        var ask = Of(inner);
        ask.WhyIgnored.ShouldBeNull();
        ask.Text.ShouldBe(text);
    }

    [Theory]
    [InlineData("""{"type":"message","channel_type":"channel","user":"U1","text":"hi"}""", "no mention")]
    [InlineData("""{"type":"message","channel_type":"channel","user":"U1","text":"<@U2> U0BOT"}""", "no mention")]
    [InlineData("""{"type":"message","user":"U0BOT","text":"<@U0BOT> hi"}""", "own message")]
    [InlineData("""{"type":"message","bot_id":"B0BOT","text":"<@U0BOT> hi"}""", "own message")]
    [InlineData("""{"type":"app_mention","user":"U2","bot_id":"B3","text":"<@U0BOT> hi"}""", "bot that is not allowed")]
    [InlineData("""{"type":"message","subtype":"bot_message","text":"<@U0BOT> hi"}""", "bot that is not allowed")]
    [InlineData("""{"type":"app_mention","user":"U1","team":"T0STRANGER","text":"<@U0BOT> hi"}""", "workspace that is not allowed")]
    [InlineData("""{"type":"app_mention","user":"U1","user_team":"T0STRANGER","text":"<@U0BOT> hi"}""", "workspace that is not allowed")]
    [InlineData("""{"type":"app_mention","user":"U1","source_team":"T0STRANGER","text":"<@U0BOT> hi"}""", "workspace that is not allowed")]
    [InlineData("""{"type":"app_mention","text":"<@U0BOT> hi"}""", "no author")]
    public void What_does_not_is_ignored_for_a_reason(string inner, string why) => Of(inner).WhyIgnored.ShouldBe(why);

    [Fact]
    public void A_file_that_is_not_read_is_not_missing_in_silence() =>
        Of("""{"type":"app_mention","user":"U1","text":"<@U0BOT> read","files":[{"name":"a.pdf"}]}""").Text.ShouldContain("were not handed over: a.pdf");

    [Theory]
    [InlineData("""{"type":"message","subtype":"file_share","channel":"C1","ts":"1.2"}""", "Other")]
    [InlineData("""{"type":"app_mention","subtype":"file_share","channel":"C1","ts":"1.2"}""", "Message")]
    [InlineData("""{"type":"message","subtype":"file_share","channel_type":"im","channel":"D1","ts":"1.2"}""", "Message")]
    [InlineData("""{"type":"message","subtype":"channel_join","channel":"C1","ts":"1.2"}""", "Other")]
    [InlineData("""{"type":"message","subtype":"thread_broadcast","channel":"C1","ts":"1.2"}""", "Message")]
    [InlineData("""{"type":"reaction_added"}""", "Other")]
    public void A_message_that_comes_twice_is_counted_as_the_one_that_can_start_a_turn(string inner, string kind)
    {
        var envelope = new JsonObject { ["event_id"] = "Ev1", ["team_id"] = "T1", ["event"] = JsonNode.Parse(inner) };
        SlackEvent.Of(JsonSerializer.SerializeToElement(envelope))!.Kind.ToString().ShouldBe(kind);
    }

    static SlackAsk Of(string inner) =>
        SlackTrigger.Of(
            new PendingMessage(1, "T0HOME", "C1", "1.2", "1.2", JsonSerializer.SerializeToElement(new JsonObject { ["event"] = JsonNode.Parse(inner) }), 0),
            new SlackSelf("T0HOME", "U0BOT", "B0BOT"), Options);
}
