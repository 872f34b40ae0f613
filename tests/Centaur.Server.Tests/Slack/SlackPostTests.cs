using System.Text.Json.Nodes;
using Centaur.Server.Executions;
using Centaur.Server.Slack.Posting;
using Centaur.Server.Tests.Executions;
using Centaur.Testing.Slack;

namespace Centaur.Server.Tests.Slack;

/// <summary>From the end of a turn to one visible answer.</summary>
public sealed class SlackPostTests(SlackFixture fixture) : IClassFixture<SlackFixture>
{
    readonly string channel = SlackFixture.NewChannel();
    readonly string root = SlackFixture.NewTs();

    [Fact]
    public async Task The_answer_is_posted_in_the_thread_under_the_executions_name()
    {
        var execution = await Answer("PONG");
        var message = fixture.Slack.Thread(channel, root).Single();
        ((string)message["text"]!).ShouldBe("PONG");
        ((string)message["metadata"]!["event_type"]!).ShouldBe("centaur_final_delivery_chunk");
        JsonNode.DeepEquals(message["metadata"]!["event_payload"], new JsonObject { ["execution_id"] = execution, ["chunk_index"] = 0, ["chunk_count"] = 1 }).ShouldBeTrue();
    }

    [Fact]
    public async Task F4_a_post_whose_answer_was_never_heard_is_adopted_and_not_repeated()
    {
        fixture.Slack.Next(new SlackTrouble(0) { IsPosted = true });
        await Answer("PONG");
        fixture.Slack.Thread(channel, root).Select(m => (string)m["text"]!).ShouldBe(["PONG"]);
    }

    [Fact]
    public async Task F4_of_a_long_answer_only_what_is_missing_is_posted_however_long_the_thread_is()
    {
        var text = string.Join("\n\n", Enumerable.Range(0, 5).Select(i => $"{i} {new string((char)('a' + i), 3_000)}"));
        // The fourth message stands in the thread, and its deliverer dies with the connection.
        fixture.Slack.Next(None, None, None, new SlackTrouble(0) { IsPosted = true });

        await Answer(text);

        var posted = fixture.Slack.Thread(channel, root);
        posted.Select(m => (int)m["metadata"]!["event_payload"]!["chunk_index"]!).ShouldBe([0, 1, 2, 3, 4]);
        string.Join("\n\n", posted.Select(m => (string)m["text"]!)).ShouldBe(text);
    }

    [Fact]
    public async Task F4_what_another_app_has_written_with_our_metadata_is_not_ours()
    {
        var execution = await fixture.Ask(channel, root, "hello");
        fixture.Slack.Forge(channel, root, execution);
        fixture.Slack.Next(new SlackTrouble(500));
        await fixture.Server.Finish(execution, "PONG");
        await fixture.Reaches(execution, "delivered");
        fixture.Slack.Thread(channel, root).Select(m => (string)m["text"]!).ShouldBe(["forged", "PONG"]);
    }

    [Fact]
    public async Task F11_429_is_waited_out_for_as_long_as_Slack_says()
    {
        var before = fixture.Slack.PostTimes.Count;
        fixture.Slack.Next(new SlackTrouble(429) { RetryAfter = 2 });
        await Answer("PONG");
        var times = fixture.Slack.PostTimes.Skip(before).ToList();
        times.Count.ShouldBe(2);
        TimeProvider.System.GetElapsedTime(times[0], times[1]).ShouldBeGreaterThan(TimeSpan.FromSeconds(1.9));
        fixture.Slack.Thread(channel, root).Count.ShouldBe(1);
    }

    [Fact]
    public async Task F11_errors_and_a_slow_Slack_are_tried_again_until_the_answer_stands_once()
    {
        fixture.Slack.Next(
            new SlackTrouble(500), new SlackTrouble(0), new SlackTrouble(200) { Delay = TimeSpan.FromSeconds(5) }, new SlackTrouble(200) { Delay = TimeSpan.FromSeconds(5), IsPosted = true });
        await Answer("PONG");
        fixture.Slack.Thread(channel, root).Select(m => (string)m["text"]!).ShouldBe(["PONG"]);
    }

    [Fact]
    public async Task F18_what_calls_a_crowd_is_plain_text()
    {
        await Answer("<!channel> <!here|here> <!everyone> <!subteam^S1> & <@U0ALICE>");
        ((string)fixture.Slack.Thread(channel, root).Single()["text"]!).ShouldBe(
            "&lt;!channel&gt; &lt;!here|here&gt; &lt;!everyone&gt; &lt;!subteam^S1&gt; &amp; <@U0ALICE>");
    }

    [Theory]
    [InlineData(ExecutionStatus.FailedPermanent, "the sandbox ran out of memory", "This turn failed: the sandbox ran out of memory")]
    [InlineData(ExecutionStatus.Cancelled, "cancelled", "This turn was cancelled.")]
    [InlineData(ExecutionStatus.Completed, null, "The turn completed without a final text.")]
    public async Task Whatever_the_end_its_author_is_told(string status, string? error, string told)
    {
        await Answer("", status, error);
        ((string)fixture.Slack.Thread(channel, root).Single()["text"]!).ShouldContain(told);
    }

    [Fact]
    public async Task A_channel_that_is_closed_makes_a_dead_letter()
    {
        var execution = await fixture.Ask("C0ARCHIVED", root, "hello");
        await fixture.Server.Finish(execution, "PONG");
        await fixture.Reaches(execution, "dead_letter");
    }

    [Fact]
    public void A_long_text_is_cut_at_paragraphs_lines_and_words_and_never_inside_a_character_an_entity_or_a_link()
    {
        SlackText.Split("").ShouldBeEmpty();
        SlackText.Split($"{new string('a', 3_000)}\n\n{new string('b', 3_000)}").ShouldBe([new string('a', 3_000), new string('b', 3_000)]);
        foreach (var awkward in (string[])["&amp;", "😀", "<https://example.com/a|link>"])
        {
            for (var shift = 0; shift < awkward.Length; shift++)
            {
                var text = new string('x', SlackText.MaxLength - shift) + awkward + new string('y', 10);
                var chunks = SlackText.Split(text);
                string.Concat(chunks).ShouldBe(text);
                chunks.ShouldAllBe(c => c.Length <= SlackText.MaxLength);
                chunks.ShouldContain(c => c.Contains(awkward, StringComparison.Ordinal));
            }
        }
    }

    static SlackTrouble None => new(200) { IsPosted = true };

    async Task<string> Answer(string text, string status = ExecutionStatus.Completed, string? error = null)
    {
        var execution = await fixture.Ask(channel, root, "hello");
        await fixture.Server.Finish(execution, text, status, error);
        await fixture.Reaches(execution, "delivered");
        return execution;
    }
}
