using System.Text.Json;
using Centaur.Server.Harnesses;

namespace Centaur.Server.Tests.Harnesses;

public sealed class BuiltInTranslatorTests
{
    readonly BuiltInTranslator translator = new();

    [Fact]
    public void Tools_are_open_from_their_call_until_their_results()
    {
        var called = Translate(
            """{"type":"assistant","message":{"content":[{"type":"tool_use","id":"a","name":"bash","input":{}},{"type":"tool_use","id":"b","name":"bash","input":{}}]}}""", new TurnState());
        var ended = Translate("""{"type":"tool","content":[{"tool_use_id":"a","content":"x"},{"tool_use_id":"b","content":"y"}]}""", called);

        called.OpenTools.ShouldBe(2);
        ended.OpenTools.ShouldBe(0);
    }

    [Fact]
    public void One_of_two_results_leaves_the_other_tool_open()
    {
        var called = Translate(
            """{"type":"assistant","message":{"content":[{"type":"tool_use","id":"a","name":"bash","input":{}},{"type":"tool_use","id":"b","name":"bash","input":{}}]}}""", new TurnState());

        Translate("""{"type":"tool","content":[{"tool_use_id":"a","content":"x"}]}""", called).OpenTools.ShouldBe(1);
    }

    [Fact]
    public void An_answer_without_a_call_opens_nothing()
    {
        Translate("""{"type":"assistant","message":{"content":[{"type":"text","text":"PONG"}]}}""", new TurnState()).OpenTools.ShouldBe(0);
    }

    TurnState Translate(string json, TurnState state)
    {
        using var parsed = JsonDocument.Parse(json);
        return translator.Translate(parsed.RootElement, state).State;
    }
}
