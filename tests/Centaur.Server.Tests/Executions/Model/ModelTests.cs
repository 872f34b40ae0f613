using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Tests.Executions.Keepers;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>
/// Random runs against a model. A failure names its seed and the last moves: play that seed alone to see it again, for the same seed meets the same world. What the fifty seeds are
/// worth is shown by breaking the product by hand and playing them. Each of these was found, at the seed beside it:
/// <code>
/// ExecutionClaims.Fence      without "for share of w for update of e"                                12
///                            without the look at lease_expires_at                                     1
/// TurnPump.Flush             acknowledges before it stores                                            1
/// SandboxStore.Advance       without "last_seq = from"                                               21
/// SandboxLifecycle.Acquire   attaches after frame 0 instead of the last stored one                   15
/// DeliveryClaims.Claim       takes what is being sent, whosever lease lives                           4
/// </code>
/// </summary>
public sealed class ModelTests(PostgresServer postgres)
{
    const string Yaml =
        """
        worker: {failure_loop_threshold: 1000}
        sandbox: {max_active: 0}
        model: {built-in: {base_url: "https://model.example/v1", key: none}}

        """;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Fifty_random_runs_of_requests_deaths_and_pauses_keep_every_promise() => Play(Enumerable.Range(1, 50));

    [Fact]
    [Trait("Category", "nightly")]
    public Task A_thousand_random_runs_of_requests_deaths_and_pauses_keep_every_promise() => Play(Enumerable.Range(1_000, 1_000));

    async Task Play(IEnumerable<int> seeds)
    {
        await using var server = new ServerFixture(postgres) { Yaml = Yaml };
        await server.Start(Cancellation);
        await using var broker = new FakeBroker(server.Layout.BrokerControlSocket);
        foreach (var seed in seeds)
        {
            await using var run = new ModelRun(server, seed, Cancellation);
            await run.Play();
        }
    }
}
