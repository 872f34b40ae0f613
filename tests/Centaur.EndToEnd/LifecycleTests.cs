using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd;

/// <summary>What becomes of sandboxes between turns: spares, idle ones, those that die unnoticed and those that nobody knows.</summary>
public sealed class LifecycleTests(LifecycleTests.QuickInstallation installation) : IClassFixture<LifecycleTests.QuickInstallation>
{
    const int Spares = 2;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("built-in")]
    [InlineData("codex")]
    public async Task A_suspended_thread_goes_on_in_its_folder_and_in_its_harnesss_own_conversation(string harness)
    {
        var conversation = new Conversation(installation, harness);
        var nonce = Guid.CreateVersion7().ToString("N");
        (await conversation.Say($"Run: printf %s {nonce} > kept.txt", Cancellation)).GetProperty("status").GetString().ShouldBe("completed");
        var first = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);
        Sql($"update sandboxes set updated_at = now() - interval '2 days' where thread_key = '{conversation.ThreadKey}'");
        Sql($"update agent_execution_requests set completed_at = now() - interval '2 days' where thread_key = '{conversation.ThreadKey}'");

        await Programs.Until(() => Text($"select state || ' ' || cause || ' ' || (cleared_at is not null) from sandboxes where sandbox_id = '{first}'") == "dead idle true", Cancellation);
        Text($"select state from sandbox_sessions where thread_key = '{conversation.ThreadKey}'").ShouldBe("suspended");
        Keepers().ShouldNotContain(first);
        var before = installation.Model.Requests.Count;
        var read = await conversation.Say("Run: cat kept.txt", Cancellation);

        read.GetProperty("result_text").GetString()!.ShouldContain(nonce);
        SandboxProcesses.SandboxId(installation, conversation.ThreadKey).ShouldNotBe(first);
        installation.Model.Requests.Skip(before).First().ToJsonString().ShouldContain($"printf %s {nonce}", customMessage: "the harness remembers what was said before");
    }

    [Theory]
    [InlineData("keeper", "killed: The keeper of this sandbox was killed, and the sandbox with it.")]
    [InlineData("jail", "killed: The sandbox was killed by signal 9.")]
    public async Task F5_a_sandbox_that_is_killed_between_turns_is_buried_within_ten_seconds_with_its_cause_and_its_thread_goes_on(string victim, string cause)
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Run: echo kept > kept.txt", Cancellation);
        var first = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);
        var folder = Text($"select folder from sandboxes where sandbox_id = '{first}'");

        var killed = System.Diagnostics.Stopwatch.GetTimestamp();
        SandboxProcesses.Kill(victim == "keeper" ? SandboxProcesses.Keeper(installation, conversation.ThreadKey) : SandboxProcesses.Init(installation, conversation.ThreadKey));
        await Programs.Until(() => Text($"select state from sandboxes where sandbox_id = '{first}' and cleared_at is not null") == "dead", Cancellation);

        System.Diagnostics.Stopwatch.GetElapsedTime(killed).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        Text($"select cause || ': ' || cause_text from sandboxes where sandbox_id = '{first}'").ShouldBe(cause);
        Text($"select state from sandbox_sessions where thread_key = '{conversation.ThreadKey}'").ShouldBe("suspended");
        (await File.ReadAllTextAsync("/proc/self/mountinfo", Cancellation)).ShouldNotContain(folder);
        (await conversation.Say("Run: cat kept.txt", Cancellation)).GetProperty("result_text").GetString()!.ShouldContain("kept");
    }

    [Fact]
    public async Task A_thread_gets_a_spare_sandbox_and_one_that_died_is_replaced()
    {
        await Full();
        var dying = Ready();
        foreach (var keeper in dying)
            SandboxProcesses.Kill(SandboxProcesses.KeeperOf(installation, keeper));
        var spares = await Replaced(dying);

        var conversation = new Conversation(installation, "built-in");
        (await conversation.Say("Reply with exactly PONG.", Cancellation)).GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");

        spares.ShouldContain(SandboxProcesses.SandboxId(installation, conversation.ThreadKey));
        await Programs.Until(() => dying.All(id => Text($"select (cleared_at is not null)::text from sandboxes where sandbox_id = '{id}'") == "true"), Cancellation);
        dying.Select(id => Text($"select folder from sandboxes where sandbox_id = '{id}'")).ShouldAllBe(folder => !Directory.Exists(Path.Combine(installation.Layout.ThreadsFolder, folder)));
    }

    [Fact]
    public async Task A_thread_that_is_given_a_spare_in_the_moment_of_its_death_is_answered_all_the_same()
    {
        await Full();
        var conversation = new Conversation(installation, "built-in");
        foreach (var spare in Ready())
            SandboxProcesses.Kill(SandboxProcesses.KeeperOf(installation, spare));

        (await conversation.Say("Reply with exactly PONG.", Cancellation)).GetProperty("result_text").GetString()!.Trim().ShouldBe("PONG");
    }

    [Fact]
    public async Task A_keeper_that_no_row_knows_is_ended_and_its_files_are_removed()
    {
        await Full();
        var orphan = Ready()[0];
        Sql($"delete from sandboxes where sandbox_id = '{orphan}'");

        await Programs.Until(() => !Keepers().Contains(orphan) && !Directory.Exists(Path.Combine(installation.Layout.SandboxesFolder, orphan)), Cancellation);

        Directory.Exists(Path.Combine(installation.Layout.SandboxesRuntime, orphan)).ShouldBeFalse();
    }

    [Fact]
    public async Task F6_a_sandbox_that_is_told_to_end_under_a_turn_is_taken_from_it_and_the_turn_goes_on_in_another()
    {
        var conversation = new Conversation(installation, "built-in");
        await conversation.Say("Reply with exactly READY.", Cancellation);
        var first = SandboxProcesses.SandboxId(installation, conversation.ThreadKey);
        var execution = await conversation.Start("Count to 6, one every 0.5 seconds", Cancellation);
        await Programs.Until(() => Text($"select state from sandbox_sessions where thread_key = '{conversation.ThreadKey}'") == "running", Cancellation);

        Sql($"update sandboxes set state = 'stopping' where sandbox_id = '{first}'");
        Sql("select pg_notify('centaur', E'test\\nsandboxes')");
        var ended = await conversation.End(execution, Cancellation);

        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        Text($"select state from sandboxes where sandbox_id = '{first}'").ShouldBe("dead");
        Keepers().ShouldNotContain(first);
    }

    [Fact]
    public async Task A_server_that_is_killed_and_started_again_replaces_the_spares_and_leaves_none_behind()
    {
        await Full();
        var before = Ready();
        SandboxProcesses.Kill(installation.Server.Process.Pid);

        await installation.Up(Cancellation);
        await Replaced(before);
        await Programs.Until(() => !Keepers().Intersect(before).Any(), Cancellation);
    }

    Task Full() => Programs.Until(() => Ready().Count == Spares, Cancellation);

    /// <summary>Waits until the pool is full of others than these. Each look is one: the pool changes between two.</summary>
    async Task<List<string>> Replaced(List<string> former)
    {
        List<string> spares = [];
        await Programs.Until(
            () =>
            {
                spares = Ready();
                return spares.Count == Spares && !spares.Intersect(former).Any();
            },
            Cancellation);
        return spares;
    }

    List<string> Ready() => [.. Text("select coalesce(string_agg(sandbox_id, ' '), '') from sandboxes where state = 'spare'").Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    IReadOnlyList<string> Keepers() => SandboxProcesses.Keepers(installation);

    void Sql(string statement) => Text(statement);

    string Text(string query)
    {
        using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var command = source.CreateCommand(query);
        return command.ExecuteScalar()?.ToString() ?? "";
    }

    public sealed class QuickInstallation : Installation
    {
        protected override string MoreConfiguration =>
            $$"""
            sandbox:
              reconcile_seconds: 0.5
              dev_idle_ttl_seconds: 3600
              warm_pool: {size: {{Spares}}, replenish_seconds: 0.5}
            """;
    }
}
