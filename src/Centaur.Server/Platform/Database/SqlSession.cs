using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>Statements on one connection, inside a transaction or not.</summary>
public sealed class SqlSession(NpgsqlConnection connection, NpgsqlTransaction? transaction)
{
    readonly List<Action> afterCommit = [];

    public async Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = sql.Command(connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The first row, or the type's default when there is none.</summary>
    public async Task<T?> First<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = sql.Command(connection, transaction);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? read(reader) : default;
    }

    /// <summary>The number of rows that the statement changed.</summary>
    public async Task<int> Execute(Sql sql, CancellationToken cancellationToken)
    {
        await using var command = sql.Command(connection, transaction);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Every write on a thread holds this lock until it commits, so that ids in a thread's log become visible in order (design §4; contract §1.0).
    /// </summary>
    public Task LockThread(string threadKey, CancellationToken cancellationToken) =>
        Execute($"select pg_advisory_xact_lock(hashtext({threadKey}))", cancellationToken);

    /// <summary>Runs in this process once the transaction has committed, never if it rolls back: wake-ups belong here.</summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);

    internal void Committed()
    {
        foreach (var action in afterCommit)
            action();
    }
}
