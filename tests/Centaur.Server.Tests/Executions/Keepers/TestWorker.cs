using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Executions;
using Centaur.Server.Executions.Observations;
using Centaur.Server.Executions.Recovery;
using Centaur.Server.Executions.Steering;
using Centaur.Server.Harnesses;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Leases;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Ending;
using Centaur.Server.Secrets;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Centaur.Server.Tests.Executions.Keepers;

/// <summary>
/// A server whose executions are run by the product's own worker and reconciler, in sandboxes of <see cref="FakeKeepers"/>: everything is real but what is behind the
/// attach socket.
/// </summary>
internal sealed class TestWorker : IAsyncDisposable
{
    readonly ServerFixture server;
    readonly FakeBroker broker;
    readonly List<BackgroundService> services = [];

    TestWorker(ServerFixture server, FakeKeepers keepers)
    {
        (this.server, Keepers) = (server, keepers);
        broker = new FakeBroker(server.Layout.BrokerControlSocket);
    }

    public ServerFixture Server => server;

    public FakeKeepers Keepers { get; }

    public PostgresDatabase Database => Get<PostgresDatabase>();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts a server and its worker.</summary>
    /// <param name="postgres">Where its database is.</param>
    /// <param name="script">What a harness does with a turn.</param>
    /// <param name="change">The worker's settings.</param>
    /// <param name="yaml">More lines of the server's configuration.</param>
    public static async Task<TestWorker> Start(
        PostgresServer postgres, Func<FakeKeeper, string, Task> script, Func<ExecutionOptions, ExecutionOptions>? change = null, string yaml = "")
    {
        var fixture = new ServerFixture(postgres) { Yaml = yaml + "model: {built-in: {key: none, model: m, base_url: \"http://model.test/v1\"}}\nharness: {default: built-in}\n" };
        await fixture.Start(Cancellation);
        var worker = new TestWorker(fixture, new FakeKeepers(script));
        await worker.Begin(change ?? (options => options));
        return worker;
    }

    /// <summary>Waits until the execution has ended.</summary>
    public async Task<JsonNode> End(string executionId)
    {
        while (true)
        {
            var (_, json) = await server.Api.Get($"/agent/executions/{executionId}");
            if (json?["completed_at"] is not null)
                return json;
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>Waits until the execution stands so.</summary>
    public async Task Until(string executionId, string status)
    {
        while (await Status(executionId) != status)
            await Task.Delay(10, Cancellation);
    }

    public Task<string?> Status(string executionId) =>
        Database.First($"select status from agent_execution_requests where execution_id = {executionId}", row => row.GetString(0), Cancellation);

    /// <summary>The events of an execution, in order.</summary>
    public Task<IReadOnlyList<(string Kind, JsonElement Json)>> Events(string executionId) =>
        Database.Query(
            $"select event_kind, event_json::text from agent_execution_events where execution_id = {executionId} order by event_id",
            row => (row.GetString(0), JsonSerializer.Deserialize<JsonElement>(row.GetString(1))),
            Cancellation);

    public async ValueTask DisposeAsync()
    {
        foreach (var service in services)
        {
            await service.StopAsync(CancellationToken.None);
            service.Dispose();
        }
        await broker.DisposeAsync();
        await server.DisposeAsync();
    }

    async Task Begin(Func<ExecutionOptions, ExecutionOptions> change)
    {
        var options = change(Get<ExecutionOptions>() with { Concurrency = 4, Poll = TimeSpan.FromMilliseconds(200), ReattachPause = TimeSpan.FromMilliseconds(50) });
        var (lease, wakeUps, crash) = (Get<WorkerLease>(), Get<WakeUps>(), Get<CrashPoints>());
        var lifecycle = new SandboxLifecycle(Get<SandboxStore>(), Get<SandboxReservations>(), Keepers, Get<SandboxOptions>(), crash);
        var claims = new ExecutionClaims(Database, lease, options, wakeUps);
        var recovery = new RecoveryStore(Database, claims, Get<EventStore>(), Get<SandboxReservations>(), wakeUps, options);
        var run = new ExecutionRun(
            Get<TurnStore>(), recovery, Get<OriginStore>(), lifecycle, Get<TurnDelivery>(), Get<TurnSteering>(), Get<HarnessCatalog>(), Get<QuarantinedLines>(), Get<LiveDeltas>(), wakeUps, options, TimeProvider.System,
            NullLogger<ExecutionRun>.Instance);
        services.Add(new ExecutionWorker(claims, run, lease, wakeUps, options, Get<LeaseOptions>(), TimeProvider.System, NullLogger<ExecutionWorker>.Instance));
        var ending = new SandboxEnding(Get<EndingStore>(), Get<SandboxStore>(), lifecycle, Keepers, Get<BrokerClient>(), Get<SandboxOptions>(), crash, NullLogger<SandboxEnding>.Instance);
        services.Add(new SandboxReconciler(
            Get<EndingStore>(), Get<ForgettingStore>(), ending, lifecycle, Keepers, lease, wakeUps, Get<SandboxOptions>() with { Reconcile = TimeSpan.FromSeconds(1) }, TimeProvider.System,
            NullLogger<SandboxReconciler>.Instance));
        foreach (var service in services)
            await service.StartAsync(Cancellation);
    }

    T Get<T>()
        where T : notnull => server.Services.GetRequiredService<T>();
}
