using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Runner.Tests.Harness;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.BuiltIn;

/// <summary>The built-in harness as a process behind its driver, against the demo model in both APIs.</summary>
public sealed class BuiltInHarnessTests : IDisposable
{
    const string Key = "test-key-of-the-built-in-harness";

    readonly TemporaryFolder home = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("messages")]
    [InlineData("chat_completions")]
    public async Task A_turn_is_answered_and_tells_session_and_usage(string api)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var agent = await Start(model.Address, api);

        var end = await agent.Turn("Reply with exactly PONG.", Cancellation);

        end.GetProperty("subtype").GetString().ShouldBe("success");
        end.GetProperty("result").GetString().ShouldBe("PONG");
        end.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBePositive();
        Session(agent).ShouldBe(end.GetProperty("session_id").GetString());
        agent.Events.Select(happened => happened.GetProperty("type").GetString()).ShouldBe(["system", "content_block_delta", "assistant", "usage", "result"]);
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("chat_completions")]
    public async Task A_command_runs_and_the_model_sees_what_only_a_file_held(string api)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var agent = await Start(model.Address, api);
        var nonce = Guid.CreateVersion7().ToString("N");
        await File.WriteAllTextAsync(home["workspace/secret.txt"], nonce, Cancellation);

        var end = await agent.Turn("Run: cat secret.txt", Cancellation);

        end.GetProperty("result").GetString().ShouldBe(nonce);
        var last = (await model.Requests(Cancellation))[^1].GetProperty("body").GetProperty("messages");
        last[last.GetArrayLength() - 1].GetRawText().ShouldContain(nonce);
        agent.Events.ShouldContain(happened => HarnessRun.IsType(happened, "tool") && happened.GetRawText().Contains(nonce));
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("chat_completions")]
    public async Task A_new_process_resumes_the_session(string api)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        string session;
        await using (var first = await Start(model.Address, api))
        {
            await first.Turn("Reply with exactly BLUEBERRY.", Cancellation);
            session = Session(first);
        }

        await using var second = await Start(model.Address, api, resume: session);
        (await second.Turn("Reply with exactly SECOND.", Cancellation)).GetProperty("result").GetString().ShouldBe("SECOND");

        Session(second).ShouldBe(session);
        (await model.Requests(Cancellation))[^1].GetProperty("body").GetRawText().ShouldContain("BLUEBERRY");
    }

    [Fact]
    public async Task A_session_that_is_gone_or_spoilt_is_begun_anew()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        var session = Guid.CreateVersion7().ToString("D");
        Directory.CreateDirectory(home[".centaur/sessions"]);
        await File.WriteAllTextAsync(home[$".centaur/sessions/{session}.json"], """{"id":"x","messages":[{"role":"user","content":7}]}""", Cancellation);
        await using var agent = await Start(model.Address, "messages", resume: session);

        (await agent.Turn("Reply with exactly PONG.", Cancellation)).GetProperty("result").GetString().ShouldBe("PONG");

        agent.Events[0].GetProperty("type").GetString().ShouldBe("status");
        Session(agent).ShouldNotBe(session);
    }

    [Theory]
    [InlineData("Count to 500, one every 0.1 seconds", "content_block_delta")]
    [InlineData("Run: sleep 600 & sleep 600", "assistant")]
    public async Task An_interrupt_ends_the_turn_and_leaves_the_process_usable(string task, string begun)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var agent = await Start(model.Address, "messages");
        await agent.StartTurn(task, Cancellation);
        await agent.Next(happened => HarnessRun.IsType(happened, begun), Cancellation);

        await agent.Interrupt(Cancellation);

        (await agent.EndOfTurn(Cancellation)).GetProperty("subtype").GetString().ShouldBe("interrupted");
        (await agent.Turn("Reply with exactly STILL HERE.", Cancellation)).GetProperty("result").GetString().ShouldBe("STILL HERE");
    }

    [Fact]
    public async Task Steering_reaches_the_running_turn()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var agent = await Start(model.Address, "messages");
        await agent.StartTurn("Count to 8, one every 0.1 seconds", Cancellation);
        await agent.Next(happened => HarnessRun.IsType(happened, "content_block_delta"), Cancellation);

        (await agent.Steer("Reply with exactly STEERED.", Cancellation)).ShouldBeTrue();

        (await agent.EndOfTurn(Cancellation)).GetProperty("result").GetString().ShouldBe("STEERED");
    }

    [Theory]
    [InlineData("messages")]
    [InlineData("chat_completions")]
    public async Task A_wrong_key_is_told_plainly_and_not_tried_again(string api)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, "another key");
        await using var agent = await Start(model.Address, api);

        var end = await agent.Turn("Reply with exactly PONG.", Cancellation);

        end.GetProperty("is_error").GetBoolean().ShouldBeTrue();
        end.GetProperty("result").GetString()!.ShouldContain("401");
        end.GetRawText().ShouldNotContain(Key);
        (await model.Requests(Cancellation)).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("429 Too Many Requests")]
    [InlineData("503 Service Unavailable")]
    public async Task A_model_that_is_busy_is_asked_again(string status)
    {
        var busy = ScriptedHost.Answer(status, """{"error":{"message":"busy"}}""", moreHeaders: "Retry-After: 0\r\n");
        await using var host = new ScriptedHost(busy, busy, Said("PONG"));
        await using var agent = await Start(host.Address, "chat_completions");

        (await agent.Turn("hello", Cancellation)).GetProperty("result").GetString().ShouldBe("PONG");

        host.Requests.Count.ShouldBe(3);
        agent.Events.Count(happened => HarnessRun.IsType(happened, "status")).ShouldBe(2);
    }

    [Fact]
    public async Task A_stream_that_is_cut_is_asked_for_again()
    {
        var cut = ScriptedHost.Events("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"PO\"}}]}\n\n");
        await using var host = new ScriptedHost(cut, Said("PONG"));
        await using var agent = await Start(host.Address, "chat_completions");
        (await agent.Turn("hello", Cancellation)).GetProperty("result").GetString().ShouldBe("PONG");
    }

    [Theory]
    [InlineData("data: {\"choices\": [\n\n")]
    [InlineData("data: 7\n\n")]
    public async Task A_stream_of_garbage_fails_the_turn_in_words(string garbage)
    {
        await using var host = new ScriptedHost(ScriptedHost.Events(garbage));
        await using var agent = await Start(host.Address, "chat_completions");

        var end = await agent.Turn("hello", Cancellation);

        end.GetProperty("subtype").GetString().ShouldBe("error_during_execution");
        end.GetProperty("result").GetString()!.ShouldContain("stream");
        host.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_conversation_that_is_too_long_loses_its_oldest_part()
    {
        var tooLong = ScriptedHost.Answer("400 Bad Request", """{"error":{"message":"This model's maximum context length is 10 tokens."}}""");
        await using var host = new ScriptedHost(Said("ONE"), Said("TWO"), tooLong, Said("THREE"));
        await using var agent = await Start(host.Address, "chat_completions");
        await agent.Turn("the first question", Cancellation);
        await agent.Turn("the second question", Cancellation);

        (await agent.Turn("the third question", Cancellation)).GetProperty("result").GetString().ShouldBe("THREE");

        host.Requests[2].ShouldContain("the first question");
        host.Requests[3].ShouldNotContain("the first question");
        host.Requests[3].ShouldContain("the third question");
    }

    [Fact]
    public async Task A_local_model_needs_no_key_and_may_send_a_tool_call_whole()
    {
        const string Call = """{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"shell","arguments":"{\"command\":\"echo from the tool\"}"}}]},"finish_reason":"tool_calls"}]}""";
        await using var host = new ScriptedHost(ScriptedHost.Events($"data: {Call}\n\ndata: [DONE]\n\n"), Said("DONE"));
        await using var agent = await Start(host.Address, "chat_completions", keyed: false);

        (await agent.Turn("hello", Cancellation)).GetProperty("result").GetString().ShouldBe("DONE");

        host.Requests[0].ShouldNotContain("Authorization", Case.Insensitive);
        host.Requests[1].ShouldContain("from the tool");
    }

    public void Dispose() => home.Dispose();

    static string Said(string text) => ScriptedHost.Events(
        $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{text}}}"},"finish_reason":"stop"}]}""" + "\n\ndata: [DONE]\n\n");

    static string Session(HarnessRun run) =>
        run.Events.First(happened => HarnessRun.IsType(happened, "system")).GetProperty("session_id").GetString()!;

    Task<HarnessRun> Start(Uri model, string api, string? resume = null, bool keyed = true)
    {
        var launch = new HarnessLaunch
        {
            Driver = "built-in",
            Program = JailPaths.Runner,
            Version = "0",
            Model = "demo",
            ModelApi = api,
            BaseUrl = new Uri(model, "/v1").ToString(),
            KeyVariable = keyed ? "MODEL_KEY" : null,
            Environment = keyed ? new Dictionary<string, string> { ["MODEL_KEY"] = Key } : new Dictionary<string, string>(),
            ResumeThreadId = resume,
        };
        return HarnessRun.Start(new BuiltInDriver(), launch, home, Cancellation);
    }
}
