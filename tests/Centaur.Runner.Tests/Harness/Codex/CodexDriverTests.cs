using System.Text.Json;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Harness.Codex;

/// <summary>The numbered steps of the driver, and what happens between them.</summary>
public sealed class CodexDriverTests
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Step_1_a_turn_that_comes_before_the_thread_waits_for_it()
    {
        var codex = new ScriptedCodex();
        await codex.Driver.Start(ScriptedCodex.Launch(), codex, Cancellation);
        await codex.Driver.StartTurn(ScriptedCodex.Message("hello"), Cancellation);
        codex.Count("turn/start").ShouldBe(0);

        await codex.Answer("initialize", "{}", Cancellation);
        await codex.Answer("thread/start", """{"thread":{"id":"thread-1"}}""", Cancellation);

        codex.Last("initialize").GetProperty("params").GetProperty("capabilities").GetProperty("experimentalApi").GetBoolean().ShouldBeTrue();
        codex.Last("thread/start").GetProperty("params").GetProperty("sandbox").GetString().ShouldBe("danger-full-access");
        codex.Last("turn/start").GetProperty("params").GetProperty("input")[0].GetProperty("text").GetString().ShouldBe("hello");
    }

    [Fact]
    public async Task Step_1_a_start_that_fails_fails_the_turn()
    {
        var codex = new ScriptedCodex();
        await codex.Driver.Start(ScriptedCodex.Launch(), codex, Cancellation);
        await codex.Driver.StartTurn(ScriptedCodex.Message("hello"), Cancellation);

        await codex.Refuse("initialize", "no configuration", Cancellation);

        codex.EventTypes.ShouldBe(["system", "error", "turn.failed"]);
        codex.Events[^1].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("no configuration");
        codex.EndedTurns.ShouldBe(1);
    }

    [Fact]
    public async Task Step_1_a_conversation_that_cannot_be_resumed_is_begun_anew()
    {
        var codex = await ScriptedCodex.Ready(Cancellation, resume: "gone");

        await codex.Refuse("thread/resume", "no rollout found", Cancellation);
        await codex.Answer("thread/start", """{"thread":{"id":"thread-2"}}""", Cancellation);

        codex.Events.ShouldContain(happened => HarnessRun.IsType(happened, "status") && happened.GetProperty("message").GetString()!.Contains("no rollout found"));
        codex.Events[^1].GetProperty("thread_id").GetString().ShouldBe("thread-2");
    }

    [Fact]
    public async Task Step_2_what_comes_before_the_turns_id_waits_for_it()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Driver.StartTurn(ScriptedCodex.Message("hello"), Cancellation);
        (await codex.Driver.Steer(ScriptedCodex.Message("more"), Cancellation)).ShouldBeTrue();
        codex.Count("turn/steer").ShouldBe(0);

        await codex.Answer("turn/start", """{"turn":{"id":"t1"}}""", Cancellation);

        codex.Last("turn/steer").GetProperty("params").GetProperty("expectedTurnId").GetString().ShouldBe("t1");
    }

    [Fact]
    public async Task Step_2_an_interrupt_before_the_turns_id_is_sent_with_it()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Driver.StartTurn(ScriptedCodex.Message("hello"), Cancellation);
        await codex.Driver.Interrupt(Cancellation);
        codex.Count("turn/interrupt").ShouldBe(0);

        await codex.Answer("turn/start", """{"turn":{"id":"t1"}}""", Cancellation);
        await codex.Complete("t1", "interrupted", Cancellation);

        codex.Last("turn/interrupt").GetProperty("params").GetProperty("turnId").GetString().ShouldBe("t1");
        codex.EventTypes.Last().ShouldBe("turn.failed");
        codex.EndedTurns.ShouldBe(1);
    }

    [Fact]
    public async Task Step_3_refused_steering_interrupts_and_goes_on_within_the_same_turn()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);
        await codex.Driver.Steer(ScriptedCodex.Message("instead"), Cancellation);

        await codex.Refuse("turn/steer", "this turn cannot be steered", Cancellation);
        codex.Last("turn/interrupt").GetProperty("params").GetProperty("turnId").GetString().ShouldBe("t1");
        await codex.Complete("t1", "interrupted", Cancellation);
        codex.EndedTurns.ShouldBe(0);
        codex.Last("turn/start").GetProperty("params").GetProperty("input")[0].GetProperty("text").GetString().ShouldBe("instead");
        await codex.Answer("turn/start", """{"turn":{"id":"t2"}}""", Cancellation);
        await codex.Complete("t2", "completed", Cancellation);

        codex.EndedTurns.ShouldBe(1);
        codex.EventTypes.Count(type => type is "turn.completed" or "turn.failed").ShouldBe(1);
    }

    [Fact]
    public async Task Step_4_the_end_waits_for_steering_that_came_too_late()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);
        await codex.Driver.Steer(ScriptedCodex.Message("too late"), Cancellation);

        await codex.Complete("t1", "completed", Cancellation);
        codex.EndedTurns.ShouldBe(0);
        await codex.Refuse("turn/steer", "no active turn", Cancellation);

        codex.Last("turn/start").GetProperty("params").GetProperty("input")[0].GetProperty("text").GetString().ShouldBe("too late");
        codex.EndedTurns.ShouldBe(0);
    }

    [Fact]
    public async Task Step_4_taken_steering_lets_the_turn_end_once()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);
        await codex.Driver.Steer(ScriptedCodex.Message("more"), Cancellation);
        await codex.Complete("t1", "completed", Cancellation);
        await codex.Answer("turn/steer", """{"turnId":"t1"}""", Cancellation);

        codex.EndedTurns.ShouldBe(1);
        codex.EventTypes.Last().ShouldBe("turn.completed");
    }

    [Fact]
    public async Task Between_turns_nothing_can_be_steered()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        (await codex.Driver.Steer(ScriptedCodex.Message("nobody listens"), Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_subagents_end_is_not_the_turns_end()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);

        await codex.Complete("t9", "completed", Cancellation, thread: "thread-of-a-subagent");

        codex.EndedTurns.ShouldBe(0);
        codex.Events[^1].GetProperty("type").GetString().ShouldBe("subagent");
        codex.Events[^1].GetProperty("status").GetString().ShouldBe("completed");
    }

    [Fact]
    public async Task A_turn_that_codex_started_itself_does_not_end_ours()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);
        await codex.Complete("t0", "completed", Cancellation);
        codex.EndedTurns.ShouldBe(0);
    }

    [Fact]
    public async Task A_failed_turn_names_its_reason_and_its_tokens()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);
        await codex.Tell("""{"method":"thread/tokenUsage/updated","params":{"threadId":"thread-1","tokenUsage":{"total":{"inputTokens":900,"outputTokens":50},"last":{"inputTokens":100,"outputTokens":5}}}}""", Cancellation);
        await codex.Tell("""{"method":"thread/tokenUsage/updated","params":{"threadId":"thread-1","tokenUsage":{"total":{"inputTokens":1100,"outputTokens":60},"last":{"inputTokens":200,"outputTokens":10}}}}""", Cancellation);

        await codex.Tell("""{"method":"turn/completed","params":{"threadId":"thread-1","turn":{"id":"t1","status":"failed","error":{"message":"quota"}}}}""", Cancellation);

        codex.Events[^1].GetProperty("type").GetString().ShouldBe("turn.failed");
        codex.Events[^1].GetProperty("error").GetProperty("message").GetString().ShouldBe("quota");
        codex.Events[^1].GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBe(300);
        codex.Events[^1].GetProperty("usage").GetProperty("output_tokens").GetInt64().ShouldBe(15);
    }

    [Theory]
    [InlineData("item/commandExecution/requestApproval", "decision", "\"accept\"")]
    [InlineData("item/fileChange/requestApproval", "decision", "\"accept\"")]
    [InlineData("execCommandApproval", "decision", "\"approved\"")]
    [InlineData("applyPatchApproval", "decision", "\"approved\"")]
    [InlineData("item/permissions/requestApproval", "permissions", "{\"network\":{\"enabled\":true}}")]
    [InlineData("mcpServer/elicitation/request", "action", "\"decline\"")]
    [InlineData("item/tool/requestUserInput", "answers", "{}")]
    public async Task A_request_of_codex_is_answered(string method, string member, string answer)
    {
        var codex = await ScriptedCodex.Ready(Cancellation);

        const string Parameters = "{\"permissions\":{\"network\":{\"enabled\":true}}}";
        await codex.Tell($$"""{"id":"r1","method":"{{method}}","params":{{Parameters}} }""", Cancellation);

        codex.Written[^1].GetProperty("id").GetString().ShouldBe("r1");
        codex.Written[^1].GetProperty("result").GetProperty(member).GetRawText().ShouldBe(answer);
    }

    [Fact]
    public async Task A_request_that_nobody_knows_is_refused_in_words()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Tell("""{"id":7,"method":"something/new","params":{}}""", Cancellation);
        codex.Written[^1].GetProperty("error").GetProperty("code").GetInt32().ShouldBe(-32601);
    }

    [Theory]
    [InlineData("""{"method":7}""")]
    [InlineData("""{"id":99,"result":{}}""")]
    [InlineData("""{"id":[],"error":"x"}""")]
    [InlineData("""{"method":"turn/completed"}""")]
    [InlineData("""{"method":"turn/completed","params":{"turn":[]}}""")]
    [InlineData("""{"method":"thread/tokenUsage/updated","params":{"tokenUsage":{"total":1,"last":{}}}}""")]
    [InlineData("""{"method":"item/completed","params":{"threadId":"thread-1","x":"\ud800"}}""")]
    [InlineData("""{"method":"error","params":[1]}""")]
    [InlineData("""{}""")]
    public async Task A_line_of_nonsense_harms_nothing(string line)
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        await codex.Begin("hello", "t1", Cancellation);

        await codex.Tell(line, Cancellation);

        codex.EndedTurns.ShouldBe(0);
        await codex.Complete("t1", "completed", Cancellation);
        codex.EndedTurns.ShouldBe(1);
    }

    [Fact]
    public async Task Blocks_that_are_no_text_become_placeholders()
    {
        var codex = await ScriptedCodex.Ready(Cancellation);
        var message = JsonElement.Parse("""{"role":"user","content":[{"type":"text","text":"look"},{"type":"image","name":"cat.png"},{"type":"document"}]}""");

        await codex.Driver.StartTurn(message, Cancellation);

        codex.Last("turn/start").GetProperty("params").GetProperty("input").EnumerateArray().Select(block => block.GetProperty("text").GetString())
            .ShouldBe(["look", "[image attachment cat.png]", "[document attachment]"]);
    }
}
