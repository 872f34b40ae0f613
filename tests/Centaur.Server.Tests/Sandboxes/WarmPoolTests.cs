using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Pool;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Sandboxes;

/// <summary>Who gets a spare sandbox. Each test has a server of its own, which runs no workers: spares are offered by the test.</summary>
public sealed class WarmPoolTests(PostgresServer postgres) : IAsyncLifetime
{
    const int Size = 4;
    readonly ServerFixture server = new(postgres) { Yaml = $"sandbox: {{warm_pool: {{size: {Size}}}}}\n" };

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    SpareStore Spares => server.Services.GetRequiredService<SpareStore>();

    public async ValueTask InitializeAsync() => await server.Start(CancellationToken.None);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_new_thread_takes_the_oldest_spare_and_its_folder_with_it()
    {
        var spares = await Offer();
        var thread = Http.NewThread();

        var taken = (string)(await server.Api.Spawn(thread))["runtime_id"]!;

        taken.ShouldBe(spares[0].SandboxId);
        var folder = await Database.First(
            $"select folder, jail_uid from thread_folders where thread_key = {thread}", r => (r.GetString(0), r.IsDBNull(1) ? (int?)null : r.GetInt32(1)), Cancellation);
        folder.ShouldBe((spares[0].Folder, spares[0].JailUid));
        (await Claim(thread)).FencingGeneration.ShouldBeGreaterThan(spares[0].FencingGeneration + 1, "whoever looked after the spare is fenced, and so is whoever took it");
    }

    [Fact]
    public async Task Threads_that_ask_at_once_never_get_the_same_spare()
    {
        await Offer();
        var threads = Enumerable.Range(0, 2 * Size).Select(_ => Http.NewThread()).ToList();

        var taken = await Task.WhenAll(threads.Select(async t => (string)(await server.Api.Spawn(t))["runtime_id"]!));

        taken.Distinct().Count().ShouldBe(threads.Count);
        (await Spares.Ready(Cancellation)).ShouldBeEmpty();
        (await Database.First($"select count(distinct folder) from thread_folders", r => r.GetInt64(0), Cancellation)).ShouldBe(threads.Count);
    }

    [Fact]
    public async Task A_thread_that_has_a_folder_starts_on_its_own_and_leaves_the_spares_alone()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);
        var first = await Claim(thread);
        await server.Services.GetRequiredService<SandboxStore>().Bury(first, "exited", "It ended.", Cancellation);
        await Offer();

        await server.Api.Spawn(thread);

        (await Claim(thread)).Folder.ShouldBe(first.Folder);
        (await Spares.Ready(Cancellation)).Count.ShouldBe(Size);
    }

    [Fact]
    public async Task A_pool_that_is_asked_from_everywhere_at_once_is_filled_and_never_overfull()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Spares.Replenish(Cancellation)));

        made.Sum(m => m.Count).ShouldBe(Size);
        var starting = await Spares.Starting(Cancellation);
        starting.Count.ShouldBe(Size);
        starting.Select(s => s.Folder).Distinct().Count().ShouldBe(Size);
    }

    [Fact]
    public async Task A_spare_that_is_being_recycled_is_nobodys_any_more()
    {
        var spares = await Offer();

        await Spares.Recycle(TimeSpan.Zero, Cancellation);
        var taken = (string)(await server.Api.Spawn(Http.NewThread()))["runtime_id"]!;

        spares.Select(s => s.SandboxId).ShouldNotContain(taken);
        (await Spares.Ready(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_pool_is_shown_and_replenished_in_the_contracts_shapes()
    {
        var replenished = await server.Api.PostOk("/agent/pool/replenish", new JsonObject());
        ((int)replenished["spawned"]!).ShouldBe(Size);
        ((int)(await server.Api.PostOk("/agent/pool/replenish", new JsonObject()))["spawned"]!).ShouldBe(0);
        await Offer();

        var (status, pool) = await server.Api.Get("/agent/pool");

        status.ShouldBe(HttpStatusCode.OK);
        pool!.AsObject().Select(p => p.Key).ShouldBe(["target_size", "current_size", "harness", "containers"]);
        ((int)pool["target_size"]!).ShouldBe(Size);
        ((int)pool["current_size"]!).ShouldBe(Size);
        var one = pool["containers"]![0]!;
        ((string)one["sandbox_id"]!).Length.ShouldBe(12);
        ((double)one["age_s"]!).ShouldBeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public async Task The_pool_is_the_operators_business()
    {
        using var stranger = server.Client();

        (await stranger.Get("/agent/pool")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await stranger.Post("/agent/pool/replenish", new JsonObject())).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    async Task<IReadOnlyList<SandboxRow>> Offer()
    {
        await Spares.Replenish(Cancellation);
        foreach (var spare in await Spares.Starting(Cancellation))
            await Spares.Offer(spare, 1, Cancellation);
        return await Spares.Ready(Cancellation);
    }

    async Task<SandboxRow> Claim(string thread) => (await server.Services.GetRequiredService<SandboxStore>().Claim(thread, Cancellation)).ShouldNotBeNull();
}
