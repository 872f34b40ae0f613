using Centaur.Server.Platform.Database;

namespace Centaur.Server.Tests.Platform.Database;

public sealed class DatabaseUrlTests
{
    [Theory]
    [InlineData("postgres://me:p%40ss@db.example:6432/centaur", "db.example", 6432, "me", "p@ss", "centaur")]
    [InlineData("postgresql://me@db.example/centaur", "db.example", 5432, "me", null, "centaur")]
    [InlineData("postgres:///centaur?host=/run/postgresql&user=me", "/run/postgresql", 5432, "me", null, "centaur")]
    [InlineData("postgres://me@[::1]:5433/c", "::1", 5433, "me", null, "c")]
    [InlineData("Host=/run/pg;Username=me;Database=c", "/run/pg", 5432, "me", null, "c")]
    public void Both_forms_are_read(string text, string host, int port, string user, string? password, string database)
    {
        var read = DatabaseUrl.Parse(text);
        (read.Host, read.Port, read.Username, read.Password, read.Database).ShouldBe((host, port, user, password, database));
    }

    [Theory]
    [InlineData("mysql://me@host/db")]
    [InlineData("postgres:///db")]
    [InlineData("postgres://host/db?nonsense=1")]
    [InlineData("nonsense")]
    public void Anything_else_is_refused(string text) => Should.Throw<ArgumentException>(() => DatabaseUrl.Parse(text));
}
