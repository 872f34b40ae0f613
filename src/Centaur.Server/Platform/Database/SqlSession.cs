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

    /// <summary>
    /// The same where nobody knows the columns' types beforehand, nor how large their values are: every value comes as Postgres writes it, in the order of the columns, and
    /// a row is not held whole before it is read.
    /// </summary>
    public async Task<IReadOnlyList<T>> QueryAsText<T>(Sql sql, Func<NpgsqlDataReader, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var command = sql.Command(connection, transaction);
        command.AllResultTypesAreUnknown = true;
        await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(await read(reader));
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

    /// <summary>Runs the statements in order and in one round trip. An error in one ends them all, and the transaction with them.</summary>
    public async Task<IReadOnlyList<BatchedResult>> Batch(IReadOnlyList<Sql> statements, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        var commands = statements.Select(s => s.BatchCommand()).ToList();
        commands.ForEach(batch.BatchCommands.Add);
        var selected = new Queue<string?>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            do
            {
                if (reader.FieldCount > 0)
                    selected.Enqueue(await reader.ReadAsync(cancellationToken) ? reader.GetString(0) : null);
            }
            while (await reader.NextResultAsync(cancellationToken));
        }
        return commands.Select(c => new BatchedResult((int)c.Rows, c.StatementType == StatementType.Select ? selected.Dequeue() : null)).ToList();
    }

    /// <summary>
    /// Every write on a thread holds this lock until it commits, so that ids in a thread's log become visible in order (design §4; contract §1.0).
    /// </summary>
    public Task LockThread(string threadKey, CancellationToken cancellationToken) => Execute(ThreadLock(threadKey), cancellationToken);

    /// <inheritdoc cref="LockThread"/>
    public static Sql ThreadLock(string threadKey) => Sql.Of($"select pg_advisory_xact_lock(hashtext({threadKey}))::text");

    /// <summary>Runs in this process once the transaction has committed, never if it rolls back: wake-ups belong here.</summary>
    public void AfterCommit(Action action) => afterCommit.Add(action);

    internal void Committed()
    {
        foreach (var action in afterCommit)
            action();
    }
}

/// <summary>What one statement of a batch came to.</summary>
/// <param name="Rows">How many rows it changed or selected.</param>
/// <param name="First">Of a select, which must select text: the first row's first column; null where there is no row.</param>
public readonly record struct BatchedResult(int Rows, string? First);
