using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Postgres;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(SecuredPostgres))]

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>
/// A real Postgres on TCP with TLS, that asks for passwords in every way it knows. A watchdog stops it and removes its folder when this process ends, however it ends.
/// </summary>
public sealed class SecuredPostgres : IAsyncDisposable
{
    public const string Host = "db.test";

    /// <summary>Of every user of the server; it must be found nowhere.</summary>
    public const string RealPassword = "real-p%40ss/word'9f3c";

    readonly SemaphoreSlim starting = new(1, 1);
    readonly string folder = $"/tmp/centaur-pgs-{Guid.CreateVersion7():N}"[..28];
    readonly TestAuthority authority = new();
    Process? watchdog;

    public int Port { get; private set; }

    public string AuthorityPem => authority.Pem;

    public static string Bin => Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
        .LastOrDefault(bin => File.Exists(Path.Combine(bin, "postgres"))) ?? throw new InvalidOperationException("The tests need Postgres: install the package postgresql (15 or newer).");

    /// <summary>A superuser's connection, past the proxy.</summary>
    public string Direct(string database) => $"Host={folder};Port={Port};Username=centaur;Database={database};Pooling=false";

    public async Task Start(CancellationToken cancellationToken)
    {
        await starting.WaitAsync(cancellationToken);
        try
        {
            if (watchdog is null)
                await StartOnce(cancellationToken);
        }
        finally
        {
            starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        starting.Dispose();
        authority.Dispose();
        if (watchdog is null)
            return;
        NpgsqlConnection.ClearAllPools();
        watchdog.StandardInput.Close();
        await watchdog.WaitForExitAsync();
        watchdog.Dispose();
    }

    async Task StartOnce(CancellationToken cancellationToken)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        using var certificate = authority.Issue(Host);
        using var key = certificate.GetECDsaPrivateKey()!;
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "postgres-watchdog", Bin, folder, Environment.IsPrivilegedProcess ? "postgres" : "", $"{Port}"])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["SERVER_CERTIFICATE"] = certificate.ExportCertificatePem();
        start.Environment["SERVER_KEY"] = key.ExportPkcs8PrivateKeyPem();
        var process = Process.Start(start)!;
        if (await process.StandardOutput.ReadLineAsync(cancellationToken) != "ready")
            throw new InvalidOperationException($"Postgres did not start: {await process.StandardError.ReadToEndAsync(cancellationToken)}");
        watchdog = process;
        foreach (var statement in Preparation.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            await Run("postgres", statement, cancellationToken);
        await Run("postgres", $"set password_encryption = 'md5'; alter role app_md5 password '{Quoted}'", cancellationToken);
        await Run("shop", "create table items (id int primary key, name text); insert into items select n, 'item ' || n from generate_series(1, 1000) n", cancellationToken);
        await Run("shop", "grant select, insert, update, delete on items to reader; grant create, usage on schema public to reader, app", cancellationToken);
    }

    public async Task Run(string database, string statement, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(Direct(database));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    static string Quoted => RealPassword.Replace("'", "''", StringComparison.Ordinal);

    static string Preparation =>
        $"""
        create role reader; create role other;
        create role app login password '{Quoted}'; grant reader, other to app;
        set password_encryption = 'scram-sha-256'; create role app_plain login password '{Quoted}';
        create role app_md5 login; create role app_clear login password '{Quoted}';
        create database shop; create database shop_plain; create database shop_md5; create database shop_clear; create database shop_elsewhere
        """;

    const string Script =
        """
        trap '' INT TERM HUP
        bin=$1; dir=$2; user=$3; port=$4
        as() { if [ -n "$user" ]; then setsid su "$user" -s /bin/sh -c "$1"; else setsid sh -c "$1"; fi; }
        mkdir -p -m 0700 "$dir/data" || exit 1
        umask 077
        printf '%s\n' "$SERVER_CERTIFICATE" >"$dir/server.crt"; printf '%s\n' "$SERVER_KEY" >"$dir/server.key"
        unset SERVER_CERTIFICATE SERVER_KEY
        [ -n "$user" ] && chown "$user" "$dir" "$dir/data" "$dir/server.crt" "$dir/server.key"
        cd "$dir"
        as "$bin/initdb -D $dir/data -U centaur -A trust --no-sync -E UTF8 --locale=C.UTF-8" >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
        cat >"$dir/data/pg_hba.conf" <<'RULES'
        local   all all trust
        hostssl all app 127.0.0.1/32 scram-sha-256
        hostssl all app_clear 127.0.0.1/32 password
        hostnossl all app_plain 127.0.0.1/32 scram-sha-256
        hostssl all app_md5 127.0.0.1/32 md5
        RULES
        as "$bin/pg_ctl -D $dir/data -l $dir/log -w -s start -o \"-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off -c ssl=on -c ssl_cert_file=$dir/server.crt -c ssl_key_file=$dir/server.key\"" >/dev/null 2>&1 </dev/null || { cat "$dir/log" >&2; exit 1; }
        echo ready
        cat >/dev/null
        as "$bin/pg_ctl -D $dir/data -w -s -m immediate stop" >/dev/null 2>&1
        cd / && rm -rf "$dir"
        """;
}
