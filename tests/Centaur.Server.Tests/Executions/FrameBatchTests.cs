using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Harnesses;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Server.Tests.Executions;

public sealed class FrameBatchTests
{
    const string Turn = "turn-1";

    readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);
    readonly FrameBatch batch;

    public FrameBatchTests() => batch = new FrameBatch(Turn, new CodexTranslator(), new TurnState(), new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, time), storedSeq: 10, time);

    [Fact]
    public void Deltas_of_one_message_become_one_event_that_names_its_frames()
    {
        Add(11, Delta("m", "PO"));
        Add(12, Delta("m", "NG"));
        batch.CloseDelta();

        var stored = batch.Closed.ShouldHaveSingleItem();
        stored.Json.ShouldBe(Delta("m", "PONG"));
        (stored.FirstSeq, stored.LastSeq).ShouldBe((11, 12));
        batch.ClosedSeq.ShouldBe(12);
    }

    [Fact]
    public void An_open_delta_holds_the_cursor_back()
    {
        Add(11, Delta("m", "PO"));

        batch.HasClosed.ShouldBeFalse();
        batch.ClosedSeq.ShouldBe(10);
    }

    [Fact]
    public void An_event_closes_the_delta_before_it()
    {
        Add(11, Delta("m", "PONG"));
        Add(12, """{"type":"item.started","item":{"type":"commandExecution","id":"c"}}""");

        batch.Closed.Select(e => e.FirstSeq).ShouldBe([11, 12]);
        batch.ClosedSeq.ShouldBe(12);
    }

    [Fact]
    public void A_change_of_the_turns_state_closes_the_delta_so_that_the_state_is_never_ahead_of_what_is_stored()
    {
        Add(11, Delta("m", "PONG"));
        Add(12, """{"type":"item.completed","item":{"type":"agentMessage","id":"m","text":"PONG"}}""");

        batch.HasOpenDelta.ShouldBeFalse();
        batch.ClosedSeq.ShouldBe(12);
    }

    [Fact]
    public void F30_a_done_for_another_turn_moves_the_cursor_and_ends_and_shows_nothing()
    {
        batch.Add(Frame(11, "turn-0", """{"type":"turn.failed","error":{"message":"old"}}"""));

        batch.Closed.ShouldBeEmpty();
        batch.State.Outcome.ShouldBeNull();
        batch.ClosedSeq.ShouldBe(11);
    }

    [Fact]
    public void F30_nothing_is_shown_after_the_terminal_event()
    {
        Add(11, """{"type":"turn.completed"}""");
        Add(12, """{"type":"item.started","item":{"type":"commandExecution","id":"late"}}""");

        batch.Closed.Where(e => e.Json.Contains("late", StringComparison.Ordinal)).ShouldBeEmpty();
        batch.ClosedSeq.ShouldBe(12);
    }

    [Fact]
    public void F30_of_two_results_the_first_is_the_turns()
    {
        var twice = new FrameBatch(Turn, new BuiltInTranslator(), new TurnState(), new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, time), storedSeq: 10, time);
        twice.Add(Frame(11, Turn, """{"type":"result","result":"first"}"""));
        twice.Add(Frame(12, Turn, """{"type":"result","result":"second","is_error":true}"""));

        twice.State.Outcome.ShouldBe(new TurnOutcome(true, null, null));
        twice.State.ResultText.ShouldBe("first");
        twice.Closed.Where(e => e.FirstSeq is not null).ShouldHaveSingleItem().FirstSeq.ShouldBe(11);
        twice.ClosedSeq.ShouldBe(12);
    }

    [Theory]
    [InlineData("""{"type":"never.heard.of","result":"x","status":"completed"}""")]
    [InlineData("""{"type":["result"]}""")]
    [InlineData("""{"type":null}""")]
    [InlineData("""{"result":"no type at all"}""")]
    public void F30_an_event_of_an_unknown_type_ends_nothing_and_answers_nothing(string line)
    {
        foreach (var translator in (IHarnessTranslator[])[new CodexTranslator(), new BuiltInTranslator()])
        {
            var unknown = new FrameBatch(Turn, translator, new TurnState(), new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, time), storedSeq: 10, time);
            unknown.Add(Frame(11, Turn, line));

            (unknown.State with { Tally = null }).ShouldBe(new TurnState());
            unknown.ClosedSeq.ShouldBe(11);
        }
    }

    [Fact]
    public void F30_what_keepers_put_aside_is_counted_by_its_reason_and_a_harness_cannot_count_for_them()
    {
        var quarantined = new QuarantinedLines();
        var notice = Frame(11, Turn, """{"type":"keeper.line_quarantined","reason":"line_too_long","bytes":9000000,"head":"xx"}""");
        quarantined.Look(notice with { Source = Protocol.Attach.Frame.KeeperSource });
        quarantined.Look(notice);

        quarantined.Count.Samples.Where(s => s.Count > 0).ShouldBe([("line_too_long", 1)]);
    }

    [Fact]
    public void A_failed_transaction_is_tried_again_with_the_same_events()
    {
        Add(11, """{"type":"turn.plan.updated"}""");
        var first = batch.Closed.ToList();

        batch.Closed.ShouldBe(first);
        batch.StoredSeq.ShouldBe(10);
        batch.Stored();
        batch.Closed.ShouldBeEmpty();
        batch.StoredSeq.ShouldBe(11);
    }

    [Fact]
    public void F32_only_the_keeper_can_say_that_the_harness_has_ended()
    {
        Add(11, """{"type":"keeper.harness_exited","cause":"out_of_memory","message":"forged"}""");
        batch.State.Outcome.ShouldBeNull();

        batch.Add(Frame(12, Turn, """{"type":"keeper.harness_exited","cause":"out_of_memory","message":"It ran out of memory."}""") with { Source = Protocol.Attach.Frame.KeeperSource });
        batch.State.Outcome.ShouldBe(new TurnOutcome(false, "It ran out of memory.", "out_of_memory"));
    }

    static string Delta(string item, string text) => $$"""{"type":"item.agentMessage.delta","itemId":"{{item}}","delta":"{{text}}"}""";

    static Frame Frame(long seq, string turn, string json)
    {
        using var parsed = JsonDocument.Parse(json);
        return new Frame { Seq = seq, Turn = turn, Event = parsed.RootElement.Clone() };
    }

    void Add(long seq, string json) => batch.Add(Frame(seq, Turn, json));
}
