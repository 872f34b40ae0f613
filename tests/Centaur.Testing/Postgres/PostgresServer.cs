using System.Diagnostics;
using Npgsql;

namespace Centaur.Testing.Postgres;

/// <summary>
/// One real Postgres for a test process, on a unix socket in a folder of its own; started at the first use. Register it once:
/// <c>[assembly: AssemblyFixture(typeof(PostgresServer))]</c>. A watchdog process stops it and removes the folder when the test process ends, however it ends.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    readonly SemaphoreSlim starting = new(1, 1);
    readonly string folder = Path.Combine("/tmp", $"centaur-pg-{Guid.CreateVersion7():N}"[..30]);
    Process? watchdog;
    int databases;

    /// <summary>The size of a disk of its own for its data, as <c>mount</c> takes it; its write-ahead log is elsewhere, as it is where it matters. Null is the machine's disk.</summary>
    public string? Disk { get; init; }

    /// <summary>How many connections it takes, set before the first use.</summary>
    public int MaxConnections { get; init; } = 400;

    /// <summary>Makes an empty database.</summary>
    /// <param name="template">The name of a database to copy; nobody may be connected to it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabase(string template, CancellationToken cancellationToken)
    {
        await Start(cancellationToken);
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await Run($"create database {name} template {template}", cancellationToken);
        return Connection(name);
    }

    /// <inheritdoc cref="CreateDatabase(string, CancellationToken)"/>
    public Task<string> CreateDatabase(CancellationToken cancellationToken) => CreateDatabase("template1", cancellationToken);

    /// <summary>Makes a database that others are copied from, once, and prepares it.</summary>
    public async Task EnsureTemplate(string name, Func<string, Task> prepare, CancellationToken cancellationToken)
    {
        await Start(cancellationToken);
        await starting.WaitAsync(cancellationToken);
        try
        {
            await using var source = NpgsqlDataSource.Create(Connection("postgres"));
            await using (var exists = source.CreateCommand($"select 1 from pg_database where datname = '{name}'"))
            {
                if (await exists.ExecuteScalarAsync(cancellationToken) is not null)
                    return;
            }

            await Run($"create database {name}_new", cancellationToken);
            await prepare(Connection($"{name}_new") + ";Pooling=false");
            await Run($"alter database {name}_new rename to {name}", cancellationToken);
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>Takes every connection that there is, those of others too, and gives them back after a while.</summary>
    public async Task TakeAllConnections(string connectionString, Func<Task> meanwhile, CancellationToken cancellationToken)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        List<NpgsqlConnection> taken = [];
        try
        {
            do
                await TakeFree(taken, cancellationToken);
            while (await EndOthers(taken[0], database, cancellationToken) > 0);
            await meanwhile();
        }
        finally
        {
            foreach (var connection in taken)
                await connection.DisposeAsync();
        }
    }

    async Task TakeFree(List<NpgsqlConnection> taken, CancellationToken cancellationToken)
    {
        while (true)
        {
            var connection = new NpgsqlConnection(Connection("postgres") + ";Pooling=false");
            try
            {
                await connection.OpenAsync(cancellationToken);
                taken.Add(connection);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
            {
                await connection.DisposeAsync();
                return;
            }
        }
    }

    static async Task<long> EndOthers(NpgsqlConnection own, string database, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{database}'", own);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Closes the door on everybody, as an outage does, and opens it again.</summary>
    public async Task Interrupt(string connectionString, Func<Task> meanwhile, CancellationToken cancellationToken)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await Run($"alter database {database} allow_connections false", cancellationToken);
        await Run($"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'", cancellationToken);
        try
        {
            await meanwhile();
        }
        finally
        {
            await Run($"alter database {database} allow_connections true", CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        starting.Dispose();
        if (watchdog is null)
            return;
        NpgsqlConnection.ClearAllPools();
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync();
        watchdog.Dispose();
    }

    async Task Start(CancellationToken cancellationToken)
    {
        await starting.WaitAsync(cancellationToken);
        try
        {
            if (watchdog is not null)
                return;
            var bin = Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin")).LastOrDefault(d => File.Exists(Path.Combine(d, "postgres")))
                ?? throw new InvalidOperationException("The tests need Postgres: install the package postgresql (15 or newer).");
            string[] command = ["/bin/sh", "-c", Script, "postgres-watchdog", bin, folder, Environment.IsPrivilegedProcess ? "postgres" : "", $"{MaxConnections}"];
            if (Disk is { } size)
            {
                Directory.CreateDirectory($"{folder}/data");
                command = [.. OwnMounts.SmallDisk($"{folder}/data", size), .. command];
            }

            var start = new ProcessStartInfo(command[0], command[1..])
            {
                UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            var process = Process.Start(start)!;
            if (await process.StandardOutput.ReadLineAsync(cancellationToken) != "ready")
                throw new InvalidOperationException($"Postgres did not start: {await process.StandardError.ReadToEndAsync(cancellationToken)}");
            watchdog = process;
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>
    /// Starts Postgres in a session of its own, says so, waits for the end of its standard input (the test process closes it, or dies), stops Postgres and removes everything.
    /// Durability is off: nothing here outlives the run.
    /// </summary>
    const string Script =
        """
        trap '' INT TERM HUP
        bin=$1; dir=$2; user=$3; connections=$4
        as() { if [ -n "$user" ]; then setsid su "$user" -s /bin/sh -c "$1"; else setsid sh -c "$1"; fi; }
        mkdir -p -m 0700 "$dir/data" || exit 1
        chmod 0700 "$dir"
        [ -n "$user" ] && chown "$user" "$dir" "$dir/data"
        cd "$dir"
        as "$bin/initdb -D $dir/data --waldir=$dir/wal -U centaur -A trust --no-sync -E UTF8 --locale=C.UTF-8" >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
        as "$bin/pg_ctl -D $dir/data -l $dir/log -w -s start -o \"-c listen_addresses= -c unix_socket_directories=$dir -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=$connections -c shared_buffers=64MB\"" >/dev/null 2>&1 </dev/null || { cat "$dir/log" >&2; exit 1; }
        echo ready
        cat >/dev/null
        as "$bin/pg_ctl -D $dir/data -w -s -m immediate stop" >/dev/null 2>&1
        cd / && rm -rf "$dir"
        """;

    async Task Run(string statement, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(Connection("postgres") + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    string Connection(string database) => $"Host={folder};Port=5432;Username=centaur;Database={database}";
}
