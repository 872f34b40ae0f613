using Centaur.Testing.Postgres;

[assembly: AssemblyFixture(typeof(PostgresServer))]
