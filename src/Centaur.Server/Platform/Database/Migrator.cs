using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>
/// Brings the schema up to date at start: numbered plain SQL files, forward only, each in a transaction of its own, under one advisory lock so that
/// replicas that start together take turns. A file that was applied and has changed since stops the start.
/// </summary>
public sealed class Migrator(NpgsqlDataSource source)
{
    const long AdvisoryLock = 0x63656e74617572; // "centaur"

    /// <returns>The names of the migrations that were applied now.</returns>
    /// <exception cref="MigrationException">The database holds a migration that this program does not have, or has in another form.</exception>
    public async Task<IReadOnlyList<string>> Run(CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await Execute(connection, $"select pg_advisory_lock({AdvisoryLock})", cancellationToken);
        try
        {
            await Execute(
                connection,
                """
                create table if not exists schema_migrations (
                    name text primary key,
                    sha256 text not null,
                    applied_at timestamptz not null default now())
                """,
                cancellationToken);
            var applied = await Applied(connection, cancellationToken);
            var known = Migration.Embedded();
            Verify(applied, known);
            var pending = known.Where(m => !applied.ContainsKey(m.Name)).ToList();
            foreach (var migration in pending)
                await Apply(connection, migration, cancellationToken);
            return pending.Select(m => m.Name).ToList();
        }
        finally
        {
            // Session locks outlive a failed statement; the pool must not get the connection back with one.
            await Execute(connection, $"select pg_advisory_unlock({AdvisoryLock})", CancellationToken.None);
        }
    }

    static void Verify(Dictionary<string, string> applied, IReadOnlyList<Migration> known)
    {
        foreach (var (name, hash) in applied)
        {
            var mine = known.FirstOrDefault(m => m.Name == name)
                ?? throw new MigrationException($"The database holds migration {name}, which this version of Centaur does not know. It was written by a newer version: start that one, or restore a backup from before it.");
            if (mine.Sha256 != hash)
                throw new MigrationException($"Migration {name} was applied in another form than this version holds. Migrations never change once released: check that this build is unmodified.");
        }
    }

    static async Task Apply(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Execute(connection, migration.Text, cancellationToken);
        await using (var record = new NpgsqlCommand("insert into schema_migrations (name, sha256) values ($1, $2)", connection, transaction))
        {
            record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration.Name });
            record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = migration.Sha256 });
            await record.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
    }

    static async Task<Dictionary<string, string>> Applied(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select name, sha256 from schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var applied = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            applied.Add(reader.GetString(0), reader.GetString(1));
        return applied;
    }

    static async Task Execute(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        // A migration takes as long as it takes, and so may another replica that holds the lock.
        await using var command = new NpgsqlCommand(text, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>One embedded file <c>NNNN_name.sql</c>.</summary>
internal sealed record Migration(string Name, string Text, string Sha256)
{
    const string Prefix = "Migrations/";

    public static IReadOnlyList<Migration> Embedded()
    {
        var assembly = typeof(Migration).Assembly;
        return assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(n =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(n)!);
                var text = reader.ReadToEnd();
                return new Migration(n[Prefix.Length..^".sql".Length], text, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
            })
            .ToList();
    }
}

/// <summary>The schema and this program do not fit together. Its message is for the operator; a retry does not help.</summary>
public sealed class MigrationException(string message) : Exception(message);
