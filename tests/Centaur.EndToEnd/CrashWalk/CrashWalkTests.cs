using System.Globalization;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.CrashWalk;

/// <summary>
/// The server is killed at every point that it has, before and after each commit and each outside effect, while a client goes on; then the books are checked. The
/// points come from the program itself, so that a new write is walked or fails <see cref="Every_crash_point_is_walked"/>.
/// </summary>
public sealed class CrashWalkTests(CrashWalkTests.Walked installation) : IClassFixture<CrashWalkTests.Walked>
{
    /// <summary>A server that is started a hundred times keeps its spare sandbox, and no more threads than a walk needs.</summary>
    public sealed class Walked : Installation
    {
        protected override string MoreConfiguration => "sandbox: {max_active: 6, warm_pool: {size: 1, evict_on_start: 0, replenish_seconds: 1}}";
    }

    static readonly string[] Start =
    [
        "api_key.first", "api_key.service", "delivery.give_up", "egress.expire", "egress.partition", "event.compact", "event.drop_day", "event.partition", "lease.take", "query_role.make",
    ];
    static readonly string[] Turn =
    [
        "broker.grant", "egress.ship", "execution.claim", "execution.queue", "execution.reap", "keeper.ack", "keeper.attach", "keeper.claim", "keeper.policy", "keeper.turn", "lease.renew", "message.store",
        "sandbox.claim", "sandbox.identify", "secret.placeholders", "spare.offer", "spare.reserve", "thread.spawn", "turn.finish", "turn.prepare", "turn.store", "worker.forget",
    ];
    static readonly string[] Steering = ["execution.steer", "keeper.steer", "turn.steer"];
    static readonly string[] Cancelling = ["execution.cancel", "keeper.interrupt"];
    static readonly string[] Death = ["keeper.stop", "sandbox.bury", "sandbox.reserve", "turn.tell"];
    static readonly string[] Stop = ["execution.return", "lease.return"];
    static readonly string[] Release = ["broker.revoke", "sandbox.clear", "sandbox.take_over", "thread.release"];
    static readonly string[] Administration = ["api_key.create", "api_key.revoke", "attachment.store", "secret.put", "secret.remove", "thread.name", "thread.stop", "thread.trace"];

    /// <summary>What only a fault within a fault reaches. Each is one transaction that a repeat finds done or undone; what it writes is pinned by the test beside it, of its slice.</summary>
    static readonly string[] NotWalked =
    [
        "assignment.release", // ForgettingTests.An_assignment_that_nobody_has_used_for_its_time_is_released_and_the_next_spawn_makes_another
        "egress.break", // ShippingTests.F56_a_file_that_was_altered_is_not_shipped_past_the_line_and_an_alert_names_it
        "egress.close", // ShippingTests.The_file_of_a_sandbox_that_is_gone_goes_once_all_of_it_is_stored_and_that_of_one_with_a_record_stays
        "delivery.failed", // DeliveryTests.A_failure_is_tried_again_after_its_pause
        "delivery.overdue", // DeliveryTests.The_watchdog_makes_ready_what_was_forgotten_and_tells_once_of_what_is_late
        "delivery.repair", // the same
        "delivery.retry", // DeliveryTests.A_dead_letter_is_listed_and_delivered_once_an_operator_has_offered_it_again
        "event.remove", // EventChunkTests.Events_beyond_their_days_are_removed_and_no_others
        "execution.retry", // HarnessFailureTests.A_refused_credential_is_tried_once_more_in_a_fresh_sandbox_by_itself
        "execution.wait", // StreamBreakTests.A_stream_that_breaks_again_and_again_gives_the_execution_back_which_is_then_claimed_and_attached_without_a_second_injection
        "sandbox.forget", // ForgettingTests.The_record_of_a_dead_sandbox_is_kept_for_the_retention_and_then_forgotten
        "sandbox.forget_folder", // ForgettingTests.A_folder_goes_only_when_neither_session_nor_sandbox_is_left_of_its_thread
        "sandbox.forget_session", // ForgettingTests.A_session_is_forgotten_when_its_time_has_come
        "sandbox.give_up", // SuspensionTests.F5_the_sandboxes_of_a_host_that_is_gone_are_given_up_and_what_was_queued_runs_elsewhere
        "sandbox.start_failed", // SuspensionTests.A_sandbox_that_fails_to_start_three_times_is_given_up_with_its_cause
        "sandbox.suspend", // SuspensionTests.A_sandbox_that_nobody_has_used_for_its_time_is_told_to_end_and_its_thread_is_suspended
        "slack.postpone", // SlackTurnTests.What_cannot_be_handled_is_tried_again_and_in_the_end_told_to_its_author
        "slack.refuse", // SlackTurnTests.A_refusal_is_told_to_the_author_in_the_thread_once
        "spare.give_up", // LifecycleTests.A_thread_gets_a_spare_sandbox_and_one_that_died_is_replaced
        "spare.recycle", // WarmPoolTests.A_spare_that_is_being_recycled_is_nobodys_any_more
        "turn.break", // StreamBreakTests.A_stream_that_breaks_is_taken_up_in_place_and_the_turn_is_given_once
    ];

    /// <summary>What a server passes on the way back to a turn whose owner died, in this order.</summary>
    static readonly string[] Recovery =
    [
        "execution.reap:after", "execution.claim:after", "sandbox.claim:after", "keeper.attach:after", "turn.prepare:after", "keeper.policy:after", "keeper.turn:before", "turn.finish:before",
    ];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_crash_point_is_walked()
    {
        var listed = await Programs.Run(Programs.Dist("server", "centaur-server"), ["--crash-points"], new Dictionary<string, string>(), null, Cancellation);

        string[] walked = [.. Start, .. Turn, .. Steering, .. Cancelling, .. Death, .. Stop, .. Release, .. Administration, .. SlackTests.Walked, .. NotWalked];
        walked.Order(StringComparer.Ordinal).ShouldBe(listed.Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public Task F3_crash_walk_of_a_start() => Walk(Start, async client =>
    {
        await client.Follow(await client.Ask("Reply with exactly PONG.", Cancellation), null, Cancellation);
        (await Ledger.LastAnswer(installation, client, Cancellation)).Trim().ShouldBe("PONG");
    });

    [Fact]
    public Task F3_crash_walk_of_a_turn() => Walk(Turn, async client =>
    {
        await client.Follow(await client.Ask("Reply with exactly PONG.", Cancellation), null, Cancellation);
        (await Ledger.LastAnswer(installation, client, Cancellation)).Trim().ShouldBe("PONG");
    });

    /// <summary>The turn is durable and no harness has heard of it; or the harness has spoken and nothing of it is stored.</summary>
    [Fact]
    [Trait("Category", "nightly")]
    public Task F3_crash_walk_of_a_turn_whose_recovery_is_killed_too() =>
        WalkTwice(((string[])["turn.prepare:after", "turn.store:before"]).SelectMany(first => Recovery.Select(second => (first, second))), mustDieTwice: true);

    [Fact]
    [Trait("Category", "nightly")]
    public Task F3_crash_walk_of_a_turn_with_pairs_of_kills_that_a_seed_draws()
    {
        // There are 1,848 pairs, of some five seconds each: every night walks others.
        var seed = int.Parse(Environment.GetEnvironmentVariable("CRASH_WALK_SEED") ?? $"{Random.Shared.Next()}", CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper?.WriteLine($"CRASH_WALK_SEED={seed}");
        var pairs = Moments(Turn).SelectMany(first => Moments([.. Turn, "lease.take"]).Select(second => (first, second))).ToArray();
        new Random(seed).Shuffle(pairs);
        return WalkTwice(pairs.Take(100), mustDieTwice: false);
    }

    [Fact]
    public Task F3_crash_walk_of_steering() => Walk(Steering, async client =>
    {
        var execution = await client.Ask("Count to 6, one every 0.3 seconds", Cancellation);
        await client.Follow(execution, HasDelta, Cancellation);
        await client.Steer(execution, "Reply with exactly STEERED.", Cancellation);
        await client.Follow(execution, null, Cancellation);
        await Quiet(client);
        (await Ledger.LastAnswer(installation, client, Cancellation)).ShouldContain("STEERED");
    });

    [Fact]
    public Task F3_crash_walk_of_a_cancel() => Walk(Cancelling, async client =>
    {
        var execution = await client.Ask("Count to 100, one every 0.3 seconds", Cancellation);
        await client.Follow(execution, HasDelta, Cancellation);
        await client.Cancel(execution, Cancellation);
        await client.Follow(execution, null, Cancellation);
    });

    [Fact]
    public Task F3_crash_walk_of_a_sandbox_that_dies() => Walk(Death, async client =>
    {
        var execution = await client.Ask("Count to 4, one every 0.3 seconds", Cancellation);
        await client.Follow(execution, HasDelta, Cancellation);
        SandboxProcesses.Kill(SandboxProcesses.Init(installation, client.ThreadKey));
        await client.Follow(execution, null, Cancellation);
        (await Ledger.LastAnswer(installation, client, Cancellation)).ShouldContain("1\n2\n3\n4");
    });

    [Fact]
    public Task F3_crash_walk_of_a_stop() => Walk(Stop, async client =>
    {
        var execution = await client.Ask("Count to 6, one every 0.3 seconds", Cancellation);
        await client.Follow(execution, HasDelta, Cancellation);
        SandboxProcesses.Terminate(installation.Server.Process.Pid);
        await client.Follow(execution, null, Cancellation);
        (await Ledger.LastAnswer(installation, client, Cancellation)).ShouldContain("6");
    });

    [Fact]
    public Task F3_crash_walk_of_a_release() => Walk(Release, async client =>
    {
        await client.Follow(await client.Ask("Reply with exactly PONG.", Cancellation), null, Cancellation);
        await client.Post($"/agent/threads/{Uri.EscapeDataString(client.ThreadKey)}/release", new { release_id = "release" }, Cancellation);
        await Cleared(client);
    });

    [Fact]
    public Task F3_crash_walk_of_administration() => Walk(Administration, async client =>
    {
        await client.Get($"/agent/messages?thread_key={Uri.EscapeDataString(client.ThreadKey)}", Cancellation);
        var key = await client.Post("/admin/api-keys", new { name = client.ThreadKey, scopes = new[] { "agent" } }, Cancellation);
        await client.Delete($"/admin/api-keys/{key.GetProperty("id").GetString()}", Cancellation);
        await client.Put("/admin/secrets/WALK_SECRET", new { bindings = new[] { new { hosts = new[] { "walk.example" }, headers = new[] { "Authorization" } } } }, Cancellation);
        await client.Delete("/admin/secrets/WALK_SECRET", Cancellation);
        await client.Post("/agent/attachments/upload", new { thread_key = client.ThreadKey, name = "a.txt", mime_type = "text/plain", data = "aGVsbG8=" }, Cancellation);
        await client.Follow(await client.Ask("Reply with exactly PONG.", Cancellation), null, Cancellation);
        await client.Post("/agent/title", new { thread_key = client.ThreadKey, title = "walk" }, Cancellation);
        await client.Post("/agent/stop", new { thread_key = client.ThreadKey }, Cancellation);
    });

    async Task Walk(IEnumerable<string> points, Func<PatientClient, Task> scenario)
    {
        foreach (var at in Moments(points))
            await KillAt(at, null, scenario);
    }

    async Task WalkTwice(IEnumerable<(string First, string Second)> pairs, bool mustDieTwice)
    {
        foreach (var (at, second) in pairs)
        {
            var times = await KillAt(at, second, async client =>
            {
                await client.Follow(await client.Ask("Reply with exactly PONG.", Cancellation), null, Cancellation);
                (await Ledger.LastAnswer(installation, client, Cancellation)).Trim().ShouldBe("PONG");
            });
            if (mustDieTwice)
                times.ShouldBe(2, $"The server that was killed at {at} never got to {second}.");
        }
    }

    static IEnumerable<string> Moments(IEnumerable<string> points) => points.SelectMany(point => (string[])[$"{point}:before", $"{point}:after"]);

    /// <summary>The server dies at the point, and perhaps once more at another when it comes back; whatever brought it up brings it up again, and the client notices nothing but a pause.</summary>
    /// <returns>How often it died.</returns>
    async Task<int> KillAt(string at, string? again, Func<PatientClient, Task> scenario)
    {
        if (installation.ServerPid is { } running)
            SandboxProcesses.Kill(running);
        var client = new PatientClient(installation);
        await installation.UpToDieAt(at, ServiceKey, Cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        var isOver = new TaskCompletionSource();
        var revived = Revive(again, isOver.Task, limit.Token);
        try
        {
            await scenario(client);
            isOver.SetResult();
            await revived;
        }
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException and not ShouldAssertException)
        {
            throw new InvalidOperationException($"Killed at {at}, then at {again ?? "no other point"}: {e.Message} (the server {(revived.IsCompleted ? "died and came back" : "never got there")})", e);
        }
        await Ledger.Check(installation, client, again is null ? at : $"{at}, then {again}", Cancellation);
        return await revived;
    }

    /// <summary>Its own service key makes even the upsert of those keys a part of every start.</summary>
    static Dictionary<string, string> ServiceKey => new() { ["SLACKBOT_API_KEY"] = "walk-service-key" };

    /// <summary>A second kill is waited for until the client has all that it wanted: a recovery need not pass every point.</summary>
    async Task<int> Revive(string? again, Task isOver, CancellationToken cancellationToken)
    {
        await Died(cancellationToken);
        if (again is null)
        {
            await installation.Up(cancellationToken);
            return 1;
        }
        await installation.UpToDieAt(again, ServiceKey, cancellationToken);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var death = Died(waiting.Token);
        if (await Task.WhenAny(death, isOver) == isOver && !death.IsCompleted)
        {
            await waiting.CancelAsync();
            return 1;
        }
        await death;
        await installation.Up(cancellationToken);
        return 2;
    }

    async Task Died(CancellationToken cancellationToken)
    {
        while (installation.ServerPid is not null)
            await Task.Delay(10, cancellationToken);
    }

    /// <summary>Waits until the thread has nothing left to do.</summary>
    async Task Quiet(PatientClient client)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while ((await client.Get($"/agent/threads/{Uri.EscapeDataString(client.ThreadKey)}/executions", Cancellation)).GetProperty("executions").EnumerateArray()
            .Any(e => e.GetProperty("completed_at").ValueKind == System.Text.Json.JsonValueKind.Null))
            await Task.Delay(50, limit.Token);
    }

    /// <summary>Waits until the thread's sandbox has been ended and what it left is removed.</summary>
    async Task Cleared(PatientClient client)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            await using var command = source.CreateCommand("select count(*) from sandboxes where thread_key = $1 and cleared_at is null");
            command.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = client.ThreadKey });
            if (await command.ExecuteScalarAsync(limit.Token) is 0L)
                return;
            await Task.Delay(50, limit.Token);
        }
    }

    static bool HasDelta(StreamedEvent streamed) => streamed.Json.GetRawText().Contains("delta", StringComparison.Ordinal);
}
