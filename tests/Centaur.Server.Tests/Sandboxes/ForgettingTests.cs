using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Ending;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Sandboxes;

/// <summary>What is forgotten of threads that rest, when, and what never is (contract §3, E and F).</summary>
public sealed class ForgettingTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    ForgettingStore Forgetting => server.Services.GetRequiredService<ForgettingStore>();

    EndingStore Ending => server.Services.GetRequiredService<EndingStore>();

    SandboxStore Sandboxes => server.Services.GetRequiredService<SandboxStore>();

    [Theory]
    [InlineData("stopped", 59, false)]
    [InlineData("stopped", 61, true)]
    [InlineData("gone", 61, true)]
    [InlineData("suspended", 61, false)]
    [InlineData("suspended", 7 * 24 * 60 + 1, true)]
    [InlineData("idle", 30 * 24 * 60, false)]
    public async Task A_session_is_forgotten_when_its_time_has_come(string state, int minutes, bool forgotten)
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        await End(thread);
        await Age(thread, state, minutes);

        (await Forgetting.ExpiredSessions(Cancellation)).Contains(thread).ShouldBe(forgotten);
        await Forgetting.ForgetSession(thread, Cancellation);

        (await Count($"select count(*) from sandbox_sessions where thread_key = {thread}")).ShouldBe(forgotten ? 0 : 1);
    }

    [Fact]
    public async Task A_session_whose_sandbox_still_ends_or_whose_thread_has_work_is_kept()
    {
        var (ending, working) = (Http.NewThread(), Http.NewThread());
        await server.Api.Spawn(ending);
        await Database.Execute($"update sandboxes set state = 'stopping' where thread_key = {ending}", Cancellation);
        await Age(ending, "stopped", 600);
        await server.Api.Queue(working);
        await End(working);
        await Age(working, "stopped", 600);

        var expired = await Forgetting.ExpiredSessions(Cancellation);
        await Forgetting.ForgetSession(working, Cancellation);

        expired.ShouldNotContain(ending);
        expired.ShouldNotContain(working);
        (await Count($"select count(*) from sandbox_sessions where thread_key = {working}")).ShouldBe(1);
    }

    [Fact]
    public async Task The_record_of_a_dead_sandbox_is_kept_for_the_retention_and_then_forgotten()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var row = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        await Forgetting.Forget(row, Cancellation);
        (await Count($"select count(*) from sandboxes where sandbox_id = {row.SandboxId}")).ShouldBe(1, "a sandbox that lives is never forgotten");
        await Sandboxes.Bury(row, "stopped", "", Cancellation);
        await Ending.Cleared(row, Cancellation);
        (await Forgetting.Expired(Cancellation)).ShouldNotContain(r => r.SandboxId == row.SandboxId);
        await Database.Execute($"update sandboxes set ended_at = now() - interval '8 days' where sandbox_id = {row.SandboxId}", Cancellation);
        (await Forgetting.Expired(Cancellation)).ShouldContain(r => r.SandboxId == row.SandboxId);

        await Forgetting.Forget(row, Cancellation);

        (await Count($"select count(*) from sandboxes where sandbox_id = {row.SandboxId}")).ShouldBe(0);
    }

    [Fact]
    public async Task A_folder_goes_only_when_neither_session_nor_sandbox_is_left_of_its_thread()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var row = await End(thread);
        await Database.Execute($"update thread_folders set created_at = now() - interval '8 days' where thread_key = {thread}", Cancellation);
        await Age(thread, "stopped", 600);
        (await Folder(thread)).ShouldBeNull("its session is there");
        await Forgetting.ForgetSession(thread, Cancellation);
        (await Folder(thread)).ShouldBeNull("the record of its sandbox is there");
        await Forgetting.Forget(row, Cancellation);

        var folder = (await Folder(thread)).ShouldNotBeNull();
        var removed = 0;
        await Forgetting.ForgetFolder(folder, () => Task.FromResult(removed++), Cancellation);

        (folder.Folder, removed).ShouldBe((row.Folder, 1));
        (await Count($"select count(*) from thread_folders where thread_key = {thread}")).ShouldBe(0);
    }

    [Fact]
    public async Task A_folder_of_a_thread_that_woke_up_since_is_kept()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);

        await Forgetting.ForgetFolder(new RestingFolder(thread, "x"), () => throw new InvalidOperationException("It is in use."), Cancellation);

        (await Count($"select count(*) from thread_folders where thread_key = {thread}")).ShouldBe(1);
    }

    [Fact]
    public async Task An_assignment_that_nobody_has_used_for_its_time_is_released_and_the_next_spawn_makes_another()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        await End(thread);
        (await Forgetting.IdleAssignments(Cancellation)).ShouldNotContain(thread, "it is young");
        await AgeAssignment(thread);

        (await Forgetting.IdleAssignments(Cancellation)).ShouldContain(thread);
        (await Forgetting.ReleaseIdle(thread, Cancellation)).ShouldBeTrue();

        var (status, json) = await server.Api.Post("/agent/execute", new JsonObject { ["thread_key"] = thread, ["assignment_generation"] = 1, ["execute_id"] = "late" });
        (status, json.Code()).ShouldBe((HttpStatusCode.Conflict, "NO_ACTIVE_ASSIGNMENT"));
        ((int?)(await server.Api.Spawn(thread))["assignment_generation"]).ShouldBe(2);
    }

    [Theory]
    [InlineData("sandbox")]
    [InlineData("message")]
    [InlineData("queued")]
    [InlineData("just ended")]
    public async Task An_assignment_that_something_still_counts_on_is_kept(string reason)
    {
        var thread = Http.NewThread();
        var execution = await server.Api.Queue(thread);
        await Database.Execute($"update agent_message_requests set delivered_execution_id = {execution} where thread_key = {thread} and {reason} <> 'message'", Cancellation);
        if (reason != "queued")
        {
            await Database.Execute(
                $"""
                update agent_execution_requests
                set status = 'completed', completed_at = now() - case when {reason} = 'just ended' then interval '1 hour' else interval '2 days' end
                where execution_id = {execution}
                """,
                Cancellation);
        }
        if (reason != "sandbox")
            await End(thread);
        await AgeAssignment(thread);

        (await Forgetting.IdleAssignments(Cancellation)).ShouldNotContain(thread);
        (await Forgetting.ReleaseIdle(thread, Cancellation)).ShouldBeFalse();
    }

    async Task<SandboxRow> End(string thread)
    {
        var row = (await Sandboxes.Claim(thread, Cancellation)).ShouldNotBeNull();
        (await Sandboxes.Bury(row, "stopped", "The sandbox was stopped.", Cancellation)).ShouldBeTrue();
        await Ending.Cleared(row, Cancellation);
        return row;
    }

    Task Age(string thread, string state, int minutes) =>
        Database.Execute($"update sandbox_sessions set state = {state}, updated_at = now() - make_interval(mins => {minutes}) where thread_key = {thread}", Cancellation);

    Task AgeAssignment(string thread) => Database.Execute($"update agent_runtime_assignments set updated_at = now() - interval '2 days' where thread_key = {thread}", Cancellation);

    async Task<RestingFolder?> Folder(string thread) => (await Forgetting.ExpiredFolders(Cancellation)).SingleOrDefault(f => f.ThreadKey == thread);

    Task<long> Count(Sql sql) => Database.First(sql, row => row.GetInt64(0), Cancellation);
}
