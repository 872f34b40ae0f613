using Centaur.Server.Executions;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Ending;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Sandboxes;

/// <summary>Which sandboxes are ended, which never are, and what becomes of their threads. The server runs no workers: what is told to end stays <c>stopping</c>.</summary>
public sealed class SuspensionTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    EndingStore Ending => server.Services.GetRequiredService<EndingStore>();

    SandboxStore Sandboxes => server.Services.GetRequiredService<SandboxStore>();

    [Fact]
    public async Task A_sandbox_that_nobody_has_used_for_its_time_is_told_to_end_and_its_thread_is_suspended()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        (await Idle(thread)).ShouldBeNull();
        await Age(thread, TimeSpan.FromDays(2));

        (await Ending.Suspend((await Idle(thread)).ShouldNotBeNull(), SandboxCauses.Idle, Cancellation)).ShouldBeTrue();

        (await State(thread)).ShouldBe(("stopping", "idle", "suspended"));
    }

    [Fact]
    public async Task A_thread_with_a_queued_execution_is_never_suspended_however_long_it_waits()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        await Age(thread, TimeSpan.FromDays(2));
        var seen = (await Idle(thread)).ShouldNotBeNull();
        await server.Api.Queue(thread);

        (await Idle(thread)).ShouldBeNull();
        (await Ending.Suspend(seen, SandboxCauses.Idle, Cancellation)).ShouldBeFalse();

        (await State(thread)).ShouldBe(("starting", null, "idle"));
    }

    [Fact]
    public async Task A_sandbox_that_was_claimed_since_it_was_looked_at_is_not_suspended()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        await Age(thread, TimeSpan.FromDays(2));
        var seen = (await Idle(thread)).ShouldNotBeNull();
        (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();

        (await Ending.Suspend(seen, SandboxCauses.Idle, Cancellation)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("dev", true)]
    [InlineData("slack", false)]
    public async Task A_thread_that_was_asked_from_a_command_line_is_suspended_sooner(string platform, bool suspended)
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await Database.Execute(
            $"""
            update agent_execution_requests
            set delivery = jsonb_build_object('platform', {platform}), status = 'completed', completed_at = now() - interval '11 minutes'
            where execution_id = {execution}
            """,
            Cancellation);
        await Age(thread, TimeSpan.FromMinutes(11));

        (await Idle(thread) is not null).ShouldBe(suspended);
    }

    [Fact]
    public async Task A_suspended_threads_next_sandbox_has_its_folder_and_waits_until_the_one_before_is_dead()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var first = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        (await Ending.Suspend(first, SandboxCauses.Idle, Cancellation)).ShouldBeTrue();

        await server.Api.Spawn(thread);
        (await Sandboxes.Claim(thread, Cancellation)).ShouldBeNull();
        var ended = (await Ending.TakeOver(first, Cancellation)).ShouldNotBeNull();
        (await Sandboxes.Bury(ended, "stopped", "The sandbox was stopped.", Cancellation)).ShouldBeTrue();
        var second = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();

        second.SandboxId.ShouldNotBe(first.SandboxId);
        (second.Folder, second.JailUid).ShouldBe((first.Folder, first.JailUid));
        (await State(thread)).Session.ShouldBe("idle");
    }

    [Fact]
    public async Task F5_a_sandbox_that_another_host_gave_up_has_its_folder_to_itself_until_its_own_host_has_cleared_it()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var first = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        await Database.Execute($"update sandboxes set state = 'dead', cause = {SandboxCauses.HostGone}, ended_at = now() where sandbox_id = {first.SandboxId}", Cancellation);

        await server.Api.Spawn(thread);
        (await Sandboxes.Claim(thread, Cancellation)).ShouldBeNull("its keeper may still run, with the thread's folder");
        (await Sandboxes.Starting(perUser: false, Cancellation)).ShouldNotContain(s => s.ThreadKey == thread);
        await Ending.Cleared(first, Cancellation);

        (await Sandboxes.Starting(perUser: false, Cancellation)).ShouldContain(s => s.ThreadKey == thread);
        (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull().SandboxId.ShouldNotBe(first.SandboxId);
    }

    [Fact]
    public async Task F6_whoever_runs_a_turn_in_a_sandbox_that_is_taken_over_to_be_ended_writes_nothing_any_more()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var owned = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        await Database.Execute($"update sandboxes set state = 'stopping' where sandbox_id = {owned.SandboxId}", Cancellation);

        var taken = (await Ending.TakeOver(owned, Cancellation)).ShouldNotBeNull();

        taken.FencingGeneration.ShouldBe(owned.FencingGeneration + 1);
        (await Sandboxes.Identified(owned, "codex", 1, Cancellation)).ShouldBeFalse();
        (await Sandboxes.Bury(owned, "exited", "late", Cancellation)).ShouldBeFalse();
        (await Database.Write(new("test.advance"), SandboxStore.Advance(owned, 0, 1), Cancellation)).ShouldBe(0);
    }

    [Fact]
    public async Task A_sandbox_that_fails_to_start_three_times_is_given_up_with_its_cause()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var row = (await Sandboxes.Starting(perUser: false, Cancellation)).Single(s => s.ThreadKey == thread);

        await Sandboxes.StartFailed(row, "no bubblewrap", Cancellation);
        (await Sandboxes.Starting(perUser: false, Cancellation)).ShouldNotContain(s => s.ThreadKey == thread, "it rests before its next try");
        await Sandboxes.StartFailed(row, "no bubblewrap", Cancellation);
        (await State(thread)).Sandbox.ShouldBe("starting");
        await Sandboxes.StartFailed(row, "no bubblewrap", Cancellation);

        (await State(thread)).ShouldBe(("dead", "start_failed", "idle"));
        (await Text(thread)).ShouldBe("no bubblewrap");
    }

    [Fact]
    public async Task F5_the_sandboxes_of_a_host_that_is_gone_are_given_up_and_what_was_queued_runs_elsewhere()
    {
        var (thread, other) = (Http.NewThread(), $"host-{Guid.CreateVersion7():N}");
        await server.Api.Queue(thread);
        await Database.Execute($"update sandboxes set host_id = {other}, state = 'claimed' where thread_key = {thread}", Cancellation);
        await Database.Execute(
            $"insert into workers (worker_id, host_id, version, lease_expires_at) values ({other}, {other}, 'test', clock_timestamp() - interval '1 minute')", Cancellation);
        var claims = new ExecutionClaims(Database, server.Services.GetRequiredService<WorkerLease>(), server.Services.GetRequiredService<ExecutionOptions>(), server.Services.GetRequiredService<WakeUps>());

        (await Ending.OfGoneHosts(Cancellation)).ShouldNotContain(s => s.ThreadKey == thread, "a host may restart");
        (await Claimable(claims, thread)).ShouldBeFalse();
        await Database.Execute($"update workers set lease_expires_at = clock_timestamp() - interval '1 hour' where worker_id = {other}", Cancellation);
        var row = (await Ending.OfGoneHosts(Cancellation)).Single(s => s.ThreadKey == thread);
        (await Ending.GiveUp(row, Cancellation)).ShouldBeTrue();

        (await State(thread)).ShouldBe(("dead", "host_gone", "idle"));
        (await Claimable(claims, thread)).ShouldBeTrue();
    }

    [Fact]
    public async Task At_its_most_a_host_makes_room_by_suspending_the_longest_unused_thread_and_none_that_works()
    {
        await using var small = new ServerFixture(postgres) { Yaml = "sandbox: {max_active: 2}\n" };
        await small.Start(Cancellation);
        var (working, idle, newest) = (Http.NewThread(), Http.NewThread(), Http.NewThread());
        await small.Api.Queue(working);
        await small.Api.Spawn(idle);

        await small.Api.Spawn(newest);

        var database = small.Services.GetRequiredService<PostgresDatabase>();
        var states = await database.Query($"select thread_key, state, coalesce(cause, '') from sandboxes", r => (r.GetString(0), r.GetString(1), r.GetString(2)), Cancellation);
        states.ShouldBe([(working, "starting", ""), (idle, "stopping", "capacity"), (newest, "starting", "")], ignoreOrder: true);
    }

    async Task<SandboxRow?> Idle(string thread) => (await Ending.Idle(Cancellation)).SingleOrDefault(s => s.ThreadKey == thread);

    Task Age(string thread, TimeSpan age) => Database.Execute($"update sandboxes set updated_at = now() - {age} where thread_key = {thread}", Cancellation);

    async Task<(string Sandbox, string? Cause, string? Session)> State(string thread) =>
        await Database.First(
            $"""
            select x.state, x.cause, s.state from sandboxes x left join sandbox_sessions s using (thread_key) where x.thread_key = {thread} order by x.created_at desc limit 1
            """,
            r => (r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2)),
            Cancellation);

    Task<string?> Text(string thread) => Database.First($"select cause_text from sandboxes where thread_key = {thread}", r => r.GetString(0), Cancellation);

    /// <summary>Claims what there is until the thread's execution comes, or nothing more.</summary>
    static async Task<bool> Claimable(ExecutionClaims claims, string thread)
    {
        while (await claims.Claim(workflows: true, Cancellation) is { } claimed)
        {
            if (claimed.ThreadKey == thread)
                return true;
        }
        return false;
    }
}
