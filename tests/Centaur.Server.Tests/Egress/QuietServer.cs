using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Egress;

/// <summary>A server that looks at its audit files when a test says so, and not in the middle of what the test does to them.</summary>
public sealed class QuietServer(PostgresServer postgres) : IAsyncLifetime
{
    public ServerFixture Fixture { get; } = new(postgres) { Yaml = "egress: {ship_seconds: 3600}\n" };

    public async ValueTask InitializeAsync() => await Fixture.InitializeAsync();

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
