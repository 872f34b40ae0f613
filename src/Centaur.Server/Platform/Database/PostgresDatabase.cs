using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>
/// The one door to Postgres. Every statement names its token; nothing here retries, because only the caller knows what a repeat would mean.
/// Every write names its crash point.
/// </summary>
public sealed class PostgresDatabase(NpgsqlDataSource source, CrashPoints crash)
{
    public Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        Connected(connection => new SqlSession(connection, null).Query(sql, read, cancellationToken), cancellationToken);

    /// <summary>The first row, or the type's default when there is none.</summary>
    public Task<T?> First<T>(Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        Connected(connection => new SqlSession(connection, null).First(sql, read, cancellationToken), cancellationToken);

    /// <summary>One statement that writes, in a transaction of its own.</summary>
    /// <returns>The number of rows that it changed.</returns>
    public Task<int> Write(CrashPoint point, Sql sql, CancellationToken cancellationToken) =>
        Alone(point, session => session.Execute(sql, cancellationToken), cancellationToken);

    /// <summary>The same for one that returns what it wrote: its first row, or the type's default when there is none.</summary>
    public Task<T?> Write<T>(CrashPoint point, Sql sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        Alone(point, session => session.First(sql, read, cancellationToken), cancellationToken);

    /// <summary>
    /// Runs the work in one READ COMMITTED transaction and commits it. An exception rolls everything back; a token that is cancelled during the commit
    /// leaves the outcome to the database, as it must.
    /// </summary>
    public Task<T> InTransaction<T>(CrashPoint point, Func<SqlSession, Task<T>> work, CancellationToken cancellationToken) =>
        InTransaction(point, work, _ => true, cancellationToken);

    /// <summary>The same, but keeps what was written only where the result deserves it.</summary>
    public Task<T> InTransaction<T>(CrashPoint point, Func<SqlSession, Task<T>> work, Func<T, bool> keep, CancellationToken cancellationToken) =>
        Connected(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var session = new SqlSession(connection, transaction);
                var result = await work(session);
                if (!keep(result))
                    return result;
                await crash.Reach(point, CrashMoment.Before);
                await transaction.CommitAsync(cancellationToken);
                await crash.Reach(point, CrashMoment.After);
                session.Committed();
                return result;
            },
            cancellationToken);

    /// <inheritdoc cref="InTransaction{T}(CrashPoint, Func{SqlSession, Task{T}}, CancellationToken)"/>
    public Task InTransaction(CrashPoint point, Func<SqlSession, Task> work, CancellationToken cancellationToken) =>
        InTransaction(
            point,
            async session =>
            {
                await work(session);
                return true;
            },
            cancellationToken);

    /// <summary>Runs the work in one read-only transaction and rolls it back, with every setting that was made in it.</summary>
    public Task<T> ReadOnly<T>(Func<SqlSession, Task<T>> work, CancellationToken cancellationToken) =>
        Connected(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                var session = new SqlSession(connection, transaction);
                await session.Execute($"set transaction read only", cancellationToken);
                return await work(session);
            },
            cancellationToken);

    Task<T> Alone<T>(CrashPoint point, Func<SqlSession, Task<T>> statement, CancellationToken cancellationToken) =>
        Connected(
            async connection =>
            {
                await crash.Reach(point, CrashMoment.Before);
                var result = await statement(new SqlSession(connection, null));
                await crash.Reach(point, CrashMoment.After);
                return result;
            },
            cancellationToken);

    async Task<T> Connected<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            return await work(connection);
        }
        catch (NpgsqlException fault) when (fault is not PostgresException)
        {
            // What cut this connection off cut those that rest in the pool as well: each would cost whoever gets it a wait of its own.
            source.Clear();
            throw;
        }
    }
}
