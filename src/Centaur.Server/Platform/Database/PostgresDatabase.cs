using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>The one door to Postgres. Every statement names its token; nothing here retries, because only the caller knows what a repeat would mean.</summary>
public sealed class PostgresDatabase(NpgsqlDataSource source)
{
    public async Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await new SqlSession(connection, null).Query(sql, read, cancellationToken);
    }

    public async Task<T?> First<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await new SqlSession(connection, null).First(sql, read, cancellationToken);
    }

    public async Task<int> Execute(Sql sql, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await new SqlSession(connection, null).Execute(sql, cancellationToken);
    }

    /// <summary>
    /// Runs the work in one READ COMMITTED transaction and commits it. An exception rolls everything back; a token that is cancelled during the commit
    /// leaves the outcome to the database, as it must.
    /// </summary>
    public async Task<T> InTransaction<T>(Func<SqlSession, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var session = new SqlSession(connection, transaction);
        var result = await work(session);
        await transaction.CommitAsync(cancellationToken);
        session.Committed();
        return result;
    }

    /// <summary>The same, but keeps what was written only where the result deserves it.</summary>
    public async Task<T> InTransaction<T>(Func<SqlSession, Task<T>> work, Func<T, bool> keep, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var session = new SqlSession(connection, transaction);
        var result = await work(session);
        if (!keep(result))
            return result;
        await transaction.CommitAsync(cancellationToken);
        session.Committed();
        return result;
    }

    /// <inheritdoc cref="InTransaction{T}(Func{SqlSession, Task{T}}, CancellationToken)"/>
    public Task InTransaction(Func<SqlSession, Task> work, CancellationToken cancellationToken) =>
        InTransaction(
            async session =>
            {
                await work(session);
                return true;
            },
            cancellationToken);
}
