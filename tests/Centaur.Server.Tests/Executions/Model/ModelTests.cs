using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>Random runs against a model. A failure names its seed: give it to <see cref="ModelRun"/> alone to see it again.</summary>
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
        await using var broker = new ModelBroker(server.Layout.BrokerControlSocket);
        foreach (var seed in seeds)
        {
            await using var run = new ModelRun(server, seed, Cancellation);
            await run.Play();
        }
    }
}
