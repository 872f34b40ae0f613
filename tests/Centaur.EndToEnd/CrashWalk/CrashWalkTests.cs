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

    static readonly string[] Start = ["api_key.first", "api_key.service", "delivery.give_up", "event.partition", "lease.take", "query_role.make"];
    static readonly string[] Turn =
    [
        "broker.grant", "execution.claim", "execution.queue", "execution.reap", "keeper.ack", "keeper.attach", "keeper.claim", "keeper.policy", "keeper.turn", "lease.renew", "message.store",
        "sandbox.claim", "sandbox.identify", "secret.placeholders", "spare.offer", "spare.reserve", "thread.spawn", "turn.finish", "turn.prepare", "turn.store", "worker.forget",
    ];
    static readonly string[] Steering = ["execution.steer", "keeper.steer", "turn.steer"];
    static readonly string[] Cancelling = ["execution.cancel", "keeper.interrupt"];
    static readonly string[] Death = ["keeper.stop", "sandbox.bury", "sandbox.reserve", "turn.tell"];
    static readonly string[] Stop = ["execution.return", "lease.return"];
    static readonly string[] Release = ["broker.revoke", "sandbox.clear", "sandbox.take_over", "thread.release"];
    static readonly string[] Administration = ["api_key.create", "api_key.revoke", "attachment.store", "secret.put", "secret.remove", "thread.name", "thread.stop", "thread.trace"];

    /// <summary>What only a fault within a fault reaches. Each is one transaction that a repeat finds done or undone; what they write is pinned by the tests of their slices.</summary>
    static readonly string[] NotWalked =
    [
        "assignment.release", "delivery.failed", "delivery.overdue", "delivery.repair", "execution.retry", "execution.wait", "sandbox.forget", "sandbox.forget_folder", "sandbox.forget_session", "sandbox.give_up", "sandbox.start_failed", "sandbox.suspend", "slack.postpone",
        "slack.refuse", "spare.give_up", "spare.recycle", "turn.break",
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
        foreach (var at in points.SelectMany(point => (string[])[$"{point}:before", $"{point}:after"]))
            await KillAt(at, scenario);
    }

    /// <summary>The server dies once at the point; whatever brought it up brings it up again, and the client notices nothing but a pause.</summary>
    async Task KillAt(string at, Func<PatientClient, Task> scenario)
    {
        if (installation.ServerPid is { } running)
            SandboxProcesses.Kill(running);
        var client = new PatientClient(installation);
        // Its own service key makes even the upsert of those keys a part of every start.
        await installation.UpToDieAt(at, new Dictionary<string, string> { ["SLACKBOT_API_KEY"] = "walk-service-key" }, Cancellation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        var revived = Revive(limit.Token);
        try
        {
            await scenario(client);
            await revived;
        }
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException and not ShouldAssertException)
        {
            throw new InvalidOperationException($"Killed at {at}: {e.Message} (the server {(revived.IsCompleted ? "died and came back" : "never got there")})", e);
        }
        await Ledger.Check(installation, client, at, Cancellation);
    }

    async Task Revive(CancellationToken cancellationToken)
    {
        while (installation.ServerPid is not null)
            await Task.Delay(10, cancellationToken);
        await installation.Up(cancellationToken);
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
