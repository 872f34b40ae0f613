using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Executions;
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

    public FrameBatchTests() => batch = new FrameBatch(Turn, new CodexTranslator(), new TurnState(), storedSeq: 10, time);

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
    public void Frames_of_another_turn_move_the_cursor_and_show_nothing()
    {
        batch.Add(Frame(11, "turn-0", """{"type":"turn.failed","error":{"message":"old"}}"""));

        batch.Closed.ShouldBeEmpty();
        batch.State.Outcome.ShouldBeNull();
        batch.ClosedSeq.ShouldBe(11);
    }

    [Fact]
    public void Nothing_is_shown_after_the_terminal_event()
    {
        Add(11, """{"type":"turn.completed"}""");
        Add(12, """{"type":"item.started","item":{"type":"commandExecution","id":"late"}}""");

        batch.Closed.Where(e => e.Json.Contains("late", StringComparison.Ordinal)).ShouldBeEmpty();
        batch.ClosedSeq.ShouldBe(12);
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
    public void Only_the_keeper_can_say_that_the_harness_has_ended()
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
