using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Server.Sandboxes;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions;

/// <summary>
/// Five ways in which a writer that has been replaced, or is too late, writes all the same where ownership is only a status and a time. Each is refused by name, and leaves every
/// row as it was: the owner's lease included, which no refused write may lengthen.
/// </summary>
public sealed class StaleWriterTests(ServerFixture server) : IClassFixture<ServerFixture>, IAsyncLifetime
{
    readonly string turn = $"turn-{Guid.CreateVersion7().ToString("N")[16..]}";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    static TerminalState Done => new(ExecutionStatus.Completed, TerminalReasons.Completed, "from the stale owner", null, new Jsonb("{}"));

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    public async ValueTask InitializeAsync() =>
        await Database.Execute($"update agent_execution_requests set status = 'cancelled', completed_at = now() where completed_at is null", Cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task F6_Stale_writer_1_one_that_was_replaced_writes_nothing_and_lengthens_no_lease()
    {
        var (stale, owner) = await Replaced();

        await Refused(stale.Execution.ThreadKey, () => stale.Worker.Turns.Tell(stale.Execution, "I am still here", Cancellation));
        await Refused(stale.Execution.ThreadKey, () => stale.Worker.Turns.Prepare(stale.Execution, stale.Sandbox, "codex", turn, Cancellation));
        await owner.Worker.Turns.Tell(owner.Execution, "I am the owner", Cancellation);
    }

    [Fact]
    public async Task F6_Stale_writer_2_a_frame_that_the_owner_has_stored_is_not_replaced()
    {
        var (stale, owner) = await Replaced();
        await owner.Worker.Turns.Store(owner.Execution, owner.Sandbox, Batch("from the owner"), Cancellation);

        await Refused(stale.Execution.ThreadKey, () => stale.Worker.Turns.Store(stale.Execution, stale.Sandbox, Batch("from the stale owner"), Cancellation));
        // Nor by the owner itself: a frame is stored once.
        await Refused(stale.Execution.ThreadKey, () => owner.Worker.Turns.Store(owner.Execution, owner.Sandbox, Batch("from the owner, again"), Cancellation));
    }

    [Fact]
    public async Task F6_Stale_writer_3_one_that_was_replaced_ends_nothing()
    {
        var (stale, owner) = await Replaced();

        await Refused(stale.Execution.ThreadKey, () => stale.Worker.Turns.Finish(stale.Execution, new TurnState(), Done, Cancellation));
        await stale.Worker.Claims.Return(stale.Execution, Cancellation);

        (await owner.Worker.Turns.Status(owner.Execution, Cancellation)).ShouldBe(ExecutionStatus.Running);
    }

    [Fact]
    public async Task F6_Stale_writer_4_after_the_end_nothing_is_written_and_no_row_is_left()
    {
        var (worker, execution, sandbox) = await Owner();
        await worker.Turns.Finish(execution, new TurnState(), Done, Cancellation);

        await Refused(execution.ThreadKey, () => worker.Turns.Tell(execution, "one more word", Cancellation));
        await Refused(execution.ThreadKey, () => worker.Turns.Store(execution, sandbox, Batch("after the end"), Cancellation));
        await Refused(execution.ThreadKey, () => worker.Turns.Finish(execution, new TurnState(), Done, Cancellation));
    }

    [Fact]
    public async Task F6_Stale_writer_5_after_its_lease_has_ended_an_owner_ends_nothing_although_nobody_has_taken_over()
    {
        var (worker, execution, sandbox) = await Owner();
        await worker.EndLease(Cancellation);

        await Refused(execution.ThreadKey, () => worker.Turns.Finish(execution, new TurnState(), Done, Cancellation));
        await Refused(execution.ThreadKey, () => worker.Turns.Store(execution, sandbox, Batch("late"), Cancellation));
        await Refused(execution.ThreadKey, () => worker.Turns.Tell(execution, "late", Cancellation));
    }

    /// <summary>An owner whose lease ended, whose execution another has claimed, and who wakes and even has a lease again.</summary>
    async Task<(Ownership Stale, Ownership Owner)> Replaced()
    {
        var stale = await Owner();
        await stale.Worker.EndLease(Cancellation);
        var next = await WorkerParts.Start(server, Cancellation);
        await next.Claims.Reap(Cancellation);
        var execution = (await next.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        execution.ExecutionId.ShouldBe(stale.Execution.ExecutionId);
        var sandbox = (await next.Sandboxes.Claim(execution.ThreadKey, Cancellation)).ShouldNotBeNull();
        await next.Turns.Prepare(execution, sandbox, "codex", "turn-00000000000000bb", Cancellation);
        await stale.Worker.Renew(Cancellation);
        return (stale, new Ownership(next, execution, sandbox));
    }

    async Task<Ownership> Owner()
    {
        var worker = await WorkerParts.Start(server, Cancellation);
        await server.Api.Queue(Http.NewThread());
        var execution = (await worker.Claims.Claim(workflows: true, Cancellation)).ShouldNotBeNull();
        var sandbox = (await worker.Sandboxes.Claim(execution.ThreadKey, Cancellation)).ShouldNotBeNull();
        await worker.Turns.Prepare(execution, sandbox, "codex", turn, Cancellation);
        return new Ownership(worker, execution with { TurnId = turn }, sandbox);
    }

    async Task Refused(string threadKey, Func<Task> write)
    {
        var before = await Everything(threadKey);
        await Should.ThrowAsync<FencedException>(write);
        (await Everything(threadKey)).ShouldBe(before);
    }

    /// <summary>All rows of the thread, and the leases, as text.</summary>
    async Task<string> Everything(string threadKey) =>
        string.Join('\n', await Database.Query(
            $"""
            select e::text from agent_execution_requests e where thread_key = {threadKey}
            union all select v::text from agent_execution_events v where thread_key = {threadKey}
            union all select s::text from sandboxes s where thread_key = {threadKey}
            union all select n::text from sandbox_sessions n where thread_key = {threadKey}
            union all select m::text from agent_message_requests m where thread_key = {threadKey}
            union all select c::text from chat_messages c where thread_key = {threadKey}
            union all select o::text from agent_final_delivery_outbox o where thread_key = {threadKey}
            union all select w::text from workers w where version = 'test'
            order by 1
            """,
            row => row.GetString(0),
            Cancellation));

    FrameBatch Batch(string text)
    {
        var observer = new TurnObserver(new ObservationOrigin("exe_1", "t", 1), new TurnTally(), TimeSpan.Zero, TimeProvider.System);
        var batch = new FrameBatch(turn, new CodexTranslator(), new TurnState(), observer, storedSeq: 0, TimeProvider.System);
        var json = JsonSerializer.SerializeToElement(new { type = "turn.plan.updated", text });
        batch.Add(new Frame { Seq = 1, Turn = turn, Event = json });
        return batch;
    }

    sealed record Ownership(WorkerParts Worker, ClaimedExecution Execution, SandboxRow Sandbox);
}
