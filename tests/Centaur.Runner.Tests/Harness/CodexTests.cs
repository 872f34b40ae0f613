using System.Text.Json;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;
using Centaur.Testing;
using Centaur.Testing.Harnesses;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Harness;

/// <summary>The driver with the real codex CLI, against the demo model.</summary>
public sealed class CodexTests : IDisposable
{
    const string Key = "sk-test-of-the-codex-driver";

    readonly TemporaryFolder home = new();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_is_answered_and_tells_thread_and_usage()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model);

        var end = await codex.Turn("Reply with exactly PONG.", Cancellation);

        end.GetProperty("type").GetString().ShouldBe("turn.completed");
        end.GetProperty("usage").GetProperty("input_tokens").GetInt64().ShouldBePositive();
        Answer(codex).ShouldBe("PONG");
        codex.Events.Count(happened => HarnessRun.IsType(happened, "thread.started")).ShouldBe(1);
        codex.Events.ShouldContain(happened => HarnessRun.IsType(happened, "item.agentMessage.delta"));
        (await model.Requests(Cancellation)).ShouldAllBe(request => request.GetProperty("credential").GetString() == "ok");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("gpt-5.2-codex")]
    public async Task A_command_runs_in_the_workspace_and_the_model_sees_its_output(string? modelName)
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model, modelName: modelName);
        var nonce = Guid.CreateVersion7().ToString("N");
        await File.WriteAllTextAsync(home["workspace/secret.txt"], nonce, Cancellation);

        await codex.Turn("Run: cat secret.txt", Cancellation);

        Answer(codex).ShouldBe(nonce);
        var last = (await model.Requests(Cancellation))[^1].GetProperty("body").GetProperty("input");
        last.EnumerateArray().Where(item => item.GetProperty("type").GetString()!.EndsWith("_output", StringComparison.Ordinal))
            .ShouldContain(item => item.GetProperty("output").ToString().Contains(nonce));
    }

    [Fact]
    public async Task A_new_process_resumes_the_conversation()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        string thread;
        await using (var first = await Start(model))
        {
            await first.Turn("Reply with exactly BLUEBERRY.", Cancellation);
            thread = first.Events.Single(happened => HarnessRun.IsType(happened, "thread.started")).GetProperty("thread_id").GetString()!;
        }

        await using var second = await Start(model, resume: thread);
        await second.Turn("Reply with exactly SECOND.", Cancellation);

        Answer(second).ShouldBe("SECOND");
        second.Events.Single(happened => HarnessRun.IsType(happened, "thread.started")).GetProperty("thread_id").GetString().ShouldBe(thread);
        (await model.Requests(Cancellation))[^1].GetProperty("body").GetRawText().ShouldContain("BLUEBERRY");
    }

    [Fact]
    public async Task A_conversation_that_cannot_be_found_is_begun_anew()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model, resume: Guid.CreateVersion7().ToString("D"));

        await codex.Turn("Reply with exactly PONG.", Cancellation);

        Answer(codex).ShouldBe("PONG");
        codex.Events.ShouldContain(happened => HarnessRun.IsType(happened, "status"));
    }

    [Fact]
    public async Task An_interrupt_ends_the_turn_and_leaves_the_process_usable()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model);
        await codex.StartTurn("Count to 500, one every 0.1 seconds", Cancellation);
        await codex.Next(happened => HarnessRun.IsType(happened, "item.agentMessage.delta"), Cancellation);

        await codex.Interrupt(Cancellation);

        var end = await codex.EndOfTurn(Cancellation);
        end.GetProperty("type").GetString().ShouldBe("turn.failed");
        end.GetProperty("error").GetProperty("message").GetString().ShouldBe("interrupted");
        await codex.Turn("Reply with exactly STILL HERE.", Cancellation);
        Answer(codex).ShouldBe("STILL HERE");
    }

    [Fact]
    public async Task Steering_reaches_the_running_turn()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model);
        await codex.StartTurn("Count to 8, one every 0.2 seconds", Cancellation);
        await codex.Next(happened => HarnessRun.IsType(happened, "item.agentMessage.delta"), Cancellation);

        (await codex.Steer("Reply with exactly STEERED.", Cancellation)).ShouldBeTrue();

        (await codex.EndOfTurn(Cancellation)).GetProperty("type").GetString().ShouldBe("turn.completed");
        Answer(codex).ShouldBe("STEERED");
        codex.Events.Count(happened => HarnessRun.IsType(happened, "turn.completed")).ShouldBe(1);
    }

    [Fact]
    public async Task A_wrong_key_fails_the_turn_in_words()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, "another key");
        await using var codex = await Start(model);

        var end = await codex.Turn("Reply with exactly PONG.", Cancellation);

        end.GetProperty("type").GetString().ShouldBe("turn.failed");
        end.GetProperty("error").GetProperty("message").GetString()!.ShouldContain("401");
        codex.Events.ShouldContain(happened => HarnessRun.IsType(happened, "error"));
    }

    [Fact]
    public async Task A_goal_is_set_without_a_turn_of_the_model()
    {
        await using var model = await DemoModelProcess.Start(Cancellation, Key);
        await using var codex = await Start(model);

        var end = await codex.Turn("/goal Keep the tests green", Cancellation);

        end.GetProperty("type").GetString().ShouldBe("turn.completed");
        Answer(codex).ShouldBe("Goal set.");
    }

    public void Dispose() => home.Dispose();

    static string Answer(HarnessRun run) =>
        run.Events.Last(happened => HarnessRun.IsType(happened, "item.completed") && happened.GetProperty("item").GetProperty("type").GetString() == "agentMessage")
            .GetProperty("item").GetProperty("text").GetString()!;

    async Task<HarnessRun> Start(DemoModelProcess model, string? resume = null, string? modelName = null)
    {
        var launch = new HarnessLaunch
        {
            Driver = "codex",
            Program = await HarnessInstallation.Program(HarnessPins.Codex, Cancellation),
            Version = HarnessPins.Codex.CliVersion,
            Model = modelName,
            ModelApi = "responses",
            BaseUrl = new Uri(model.Address, "/v1").ToString(),
            KeyVariable = "OPENAI_API_KEY",
            Environment = new Dictionary<string, string> { ["OPENAI_API_KEY"] = Key },
            ResumeThreadId = resume,
        };
        return await HarnessRun.Start(new CodexDriver(), launch, home, Cancellation);
    }
}
