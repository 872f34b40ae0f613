using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Executions;

/// <summary>A turn that says nothing has failed, but a tool may take its time (wire contract §2.1).</summary>
public sealed class SilenceTests(PostgresServer postgres)
{
    const string Opened = """{"type":"assistant","message":{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"bash","input":{"command":"make"}}]}}""";
    const string Closed = """{"type":"tool","content":[{"tool_use_id":"t1","content":"made","is_error":false}]}""";
    static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(800);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_turn_may_be_silent_for_longer_while_a_tool_runs()
    {
        await using var worker = await Start(async keeper =>
        {
            await keeper.Say(Opened);
            await Task.Delay(Silence * 2, Cancellation);
            await keeper.Say(Closed);
            await keeper.Answer("PONG");
        });

        (await worker.End(await worker.Server.Api.Queue(Http.NewThread()))).Text("status").ShouldBe("completed");
    }

    [Fact]
    public async Task Once_the_tool_has_ended_silence_is_a_failure_again_and_the_sandbox_is_stopped()
    {
        await using var worker = await Start(async keeper =>
        {
            await keeper.Say(Opened);
            await keeper.Say(Closed);
        });

        var ended = await worker.End(await worker.Server.Api.Queue(Http.NewThread()));

        (ended.Text("status"), ended.Text("terminal_reason")).ShouldBe(("failed_permanent", "silence_deadline_exceeded"));
        worker.Keepers.Started.Single().IsDead.ShouldBeTrue();
    }

    [Fact]
    public async Task A_tool_that_says_nothing_for_longer_than_a_tool_may_is_a_failure_too()
    {
        await using var worker = await Start(keeper => keeper.Say(Opened), toolSilence: Silence * 2);

        (await worker.End(await worker.Server.Api.Queue(Http.NewThread()))).Text("terminal_reason").ShouldBe("silence_deadline_exceeded");
    }

    Task<TestWorker> Start(Func<FakeKeeper, Task> script, TimeSpan? toolSilence = null) =>
        TestWorker.Start(postgres, (keeper, _) => script(keeper), options => options with { Silence = Silence, ToolSilence = toolSilence ?? TimeSpan.FromMinutes(1) });
}
