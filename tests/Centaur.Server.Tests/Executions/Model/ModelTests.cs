using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>Random runs against a model. A failure names its seed: give it to <see cref="ModelRun"/> alone to see it again.</summary>
public sealed class ModelTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Fifty_random_runs_of_requests_deaths_and_pauses_keep_every_promise() => Play(Enumerable.Range(1, 50));

    [Fact]
    [Trait("Category", "nightly")]
    public Task A_thousand_random_runs_of_requests_deaths_and_pauses_keep_every_promise() => Play(Enumerable.Range(1_000, 1_000));

    async Task Play(IEnumerable<int> seeds)
    {
        var database = server.Services.GetRequiredService<PostgresDatabase>();
        foreach (var seed in seeds)
        {
            // A run that failed leaves work behind, which must not be the next one's.
            await database.Execute($"update agent_execution_requests set status = 'cancelled', completed_at = now() where completed_at is null", Cancellation);
            await new ModelRun(server, seed, Cancellation).Play();
        }
    }
}
