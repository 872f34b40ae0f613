using System.Text.Json;
using Centaur.Server.Harnesses;
using Shouldly;
using Xunit;

namespace Centaur.Server.Tests.Harnesses;

public sealed class CodexTranslatorTests
{
    readonly CodexTranslator translator = new();

    [Fact]
    public void The_start_of_a_conversation_becomes_an_init_event_and_is_remembered()
    {
        var said = Translate("""{"type":"thread.started","thread_id":"01a1"}""");

        said.State.HarnessThreadId.ShouldBe("01a1");
        said.Canonical.ShouldBe("""{"type":"system","subtype":"init","session_id":"01a1"}""");
    }

    [Fact]
    public void The_last_whole_message_is_the_answer_and_is_not_shown_twice()
    {
        var first = Translate("""{"type":"item.completed","item":{"type":"agentMessage","id":"a","text":"I will look."}}""");
        var last = Translate("""{"type":"item.completed","item":{"type":"agentMessage","id":"b","text":"PONG"}}""", first.State);

        last.State.ResultText.ShouldBe("PONG");
        last.Canonical.ShouldBeNull();
    }

    [Fact]
    public void A_delta_can_be_joined_with_its_neighbours()
    {
        var delta = Translate("""{"type":"item.agentMessage.delta","itemId":"m1","delta":"PO"}""").Delta.ShouldNotBeNull();

        delta.Text.ShouldBe("PO");
        delta.Merge("PONG").ShouldBe("""{"type":"item.agentMessage.delta","itemId":"m1","delta":"PONG"}""");
    }

    [Fact]
    public void A_command_is_an_open_tool_until_it_completes()
    {
        var started = Translate("""{"type":"item.started","item":{"type":"commandExecution","id":"c1"}}""");
        var completed = Translate("""{"type":"item.completed","item":{"type":"commandExecution","id":"c1","exitCode":0}}""", started.State);

        started.State.OpenTools.ShouldBe(1);
        completed.State.OpenTools.ShouldBe(0);
        completed.Canonical.ShouldNotBeNull();
    }

    [Fact]
    public void The_first_terminal_event_wins()
    {
        var completed = Translate("""{"type":"turn.completed","turn":{"status":"completed"}}""");
        var failed = Translate("""{"type":"turn.failed","error":{"message":"too late"}}""", completed.State);

        failed.State.Outcome.ShouldBe(new TurnOutcome(Succeeded: true, Error: null, Cause: null));
    }

    [Fact]
    public void A_failed_turn_says_why() =>
        Translate("""{"type":"turn.failed","turn":{"error":{"message":"model overloaded"}}}""").State.Outcome
            .ShouldBe(new TurnOutcome(Succeeded: false, "model overloaded", Cause: null));

    [Theory]
    [InlineData("""{"type":"item.completed"}""")]
    [InlineData("""{"type":"item.completed","item":7}""")]
    [InlineData("""{"type":"turn.failed","turn":"x"}""")]
    [InlineData("""{"type":"thread.started","thread_id":{}}""")]
    [InlineData("""{"type":42}""")]
    [InlineData("{}")]
    public void Nonsense_changes_no_answer_and_throws_nothing(string json) =>
        Translate(json, new TurnState { ResultText = "kept" }).State.ResultText.ShouldBe("kept");

    Translation Translate(string json, TurnState? state = null)
    {
        using var parsed = JsonDocument.Parse(json);
        return translator.Translate(parsed.RootElement.Clone(), state ?? new TurnState());
    }
}
