using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;

namespace Centaur.Testing.Server;

/// <summary>Lets a test write to its database without naming a crash point of the product.</summary>
public static class TestStatements
{
    static readonly CrashPoint Test = new("test");

    public static Task InTransaction(this PostgresDatabase database, Func<SqlSession, Task> work, CancellationToken cancellationToken) => database.InTransaction(Test, work, cancellationToken);

    public static Task<int> Execute(this PostgresDatabase database, Sql sql, CancellationToken cancellationToken) => database.Write(Test, sql, cancellationToken);
}
