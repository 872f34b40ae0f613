using Centaur.Protocol.Host;

namespace Centaur.Cli.Postgres;

/// <summary>The configuration files of the embedded Postgres. Written anew at every start, so that they always fit the home's place and its user.</summary>
internal static class PostgresSettings
{
    /// <summary>Included by <c>postgresql.conf</c>, after everything that initdb wrote there.</summary>
    public const string FileName = "centaur.conf";

    public static void Write(string data, HostLayout layout, string user)
    {
        File.WriteAllText(Path.Combine(data, FileName), Server(layout));
        File.WriteAllText(Path.Combine(data, "pg_hba.conf"), $"local all {HostLayout.DatabaseName} peer map={HostLayout.DatabaseName}\n");
        File.WriteAllText(Path.Combine(data, "pg_ident.conf"), $"{HostLayout.DatabaseName} \"{user}\" {HostLayout.DatabaseName}\n");
    }

    /// <summary>
    /// A durable queue: every commit is on disk before it is acknowledged, and small hot tables are vacuumed often. Statement parameters never reach the log:
    /// they hold what people wrote.
    /// </summary>
    static string Server(HostLayout layout) =>
        $"""
        listen_addresses = ''
        port = {HostLayout.PostgresPort}
        unix_socket_directories = '{Quoted(layout.PostgresSocketFolder)}'
        unix_socket_permissions = 0700
        max_connections = 200
        shared_buffers = 128MB
        dynamic_shared_memory_type = posix
        fsync = on
        synchronous_commit = on
        full_page_writes = on
        wal_compression = on
        max_wal_size = 2GB
        min_wal_size = 160MB
        checkpoint_timeout = 15min
        autovacuum_naptime = 10s
        autovacuum_vacuum_scale_factor = 0.05
        autovacuum_vacuum_insert_scale_factor = 0.1
        idle_in_transaction_session_timeout = 60s
        jit = off
        timezone = 'UTC'
        log_timezone = 'UTC'
        logging_collector = off
        log_line_prefix = '%m [%p] '
        log_parameter_max_length = 0
        log_parameter_max_length_on_error = 0
        log_min_error_statement = panic
        lc_messages = 'C'

        """;

    static string Quoted(string path) => path.Replace("'", "''", StringComparison.Ordinal);
}
