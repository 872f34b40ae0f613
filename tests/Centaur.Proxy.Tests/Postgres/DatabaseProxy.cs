using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Centaur.Proxy.Tests.Fixtures;

namespace Centaur.Proxy.Tests.Postgres;

/// <summary>The real program with a <c>postgres</c> section, before the real server.</summary>
sealed class DatabaseProxy : IAsyncDisposable
{
    public const string ClientPassword = "client-password-71";

    readonly DirectoryInfo folder;
    readonly Process process;
    readonly ConcurrentQueue<string> log = new();
    readonly Task reading;
    readonly TaskCompletionSource<int> listening = new();

    DatabaseProxy(DirectoryInfo folder, Process process)
    {
        (this.folder, this.process) = (folder, process);
        reading = ReadLog();
    }

    public int Port { get; private set; }

    /// <summary>All that the program said.</summary>
    public string Log => string.Join('\n', log);

    public string Audit => File.ReadAllText(Path.Combine(folder.FullName, "audit.ndjson"));

    public static string Dsn(string user, string database, string more = "", string host = SecuredPostgres.Host) =>
        $"postgresql://{user}:{Uri.EscapeDataString(SecuredPostgres.RealPassword)}@{host}/{database}{more}";

    /// <param name="server">The server behind it.</param>
    /// <param name="upstreams">The list, in YAML's flow form; each DSN in an environment variable.</param>
    /// <param name="dsns">Variable → DSN.</param>
    /// <param name="client">More keys of <c>client</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<DatabaseProxy> Start(
        SecuredPostgres server, string upstreams, IReadOnlyDictionary<string, string> dsns, CancellationToken cancellationToken, string client = "")
    {
        await server.Start(cancellationToken);
        using var authority = new TestAuthority();
        var place = Directory.CreateTempSubdirectory("centaur-database-proxy-");
        await File.WriteAllTextAsync(Path.Combine(place.FullName, "ca.pem"), authority.PemWithKey, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(place.FullName, "db.pem"), server.AuthorityPem, cancellationToken);
        var path = Path.Combine(place.FullName, "proxy.yaml");
        await File.WriteAllTextAsync(path, $$"""
            proxy: { tunnel_listen: "127.0.0.1:0" }
            tls: { ca_cert: ca.pem, ca_key: ca.pem }
            audit: { file: audit.ndjson }
            map:
              - { host: {{SecuredPostgres.Host}}, port: 5432, address: 127.0.0.1, target_port: {{server.Port}}, ca_cert: db.pem }
              - { host: untrusted.test, port: 5432, address: 127.0.0.1, target_port: {{server.Port}} }
              - { host: misnamed.test, port: 5432, address: 127.0.0.1, target_port: {{server.Port}}, ca_cert: db.pem }
            postgres:
              listen: "127.0.0.1:0"
              client: { user: agent, password_env: CLIENT_PASSWORD {{client}} }
              upstreams: {{upstreams}}
            """, cancellationToken);
        var environment = new Dictionary<string, string>(dsns) { ["CLIENT_PASSWORD"] = ClientPassword };
        var proxy = new DatabaseProxy(place, ProxyProgram.Start(["--config", path], environment: environment));
        proxy.Port = await proxy.listening.Task.WaitAsync(cancellationToken);
        return proxy;
    }

    /// <summary>The shop: role "reader", time zone and one setting of the application pinned.</summary>
    public static Task<DatabaseProxy> StartShop(SecuredPostgres server, CancellationToken cancellationToken) =>
        Start(
            server, "[{ database: shop, dsn: { type: env, var: SHOP }, role: reader, settings: [{ name: TimeZone, value: Asia/Tokyo }, { name: app.tenant, value: \"it's 7\" }] }]",
            new Dictionary<string, string> { ["SHOP"] = Dsn("app", "shop") }, cancellationToken);

    /// <summary>One database with nothing pinned.</summary>
    public static Task<DatabaseProxy> StartPlain(SecuredPostgres server, string database, string dsn, CancellationToken cancellationToken, string client = "") =>
        Start(server, $"[{{ database: {database}, dsn: {{ type: env, var: ONLY }} }}]", new Dictionary<string, string> { ["ONLY"] = dsn }, cancellationToken, client);

    public string ConnectionString(string database, string more = "") =>
        $"Host=127.0.0.1;Port={Port};Username=agent;Password={ClientPassword};Database={database};SSL Mode=Prefer;No Reset On Close=true;{more}";

    /// <summary>Runs one of Postgres' own programs through the proxy.</summary>
    public async Task<(int Code, string Output, string Error)> Run(string program, string database, IEnumerable<string> arguments, CancellationToken cancellationToken, string? input = null, string? options = null)
    {
        var start = new ProcessStartInfo(Path.Combine(SecuredPostgres.Bin, program), ["-h", "127.0.0.1", "-p", $"{Port}", "-U", "agent", "-d", database, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = ClientPassword;
        if (options is not null)
            start.Environment["PGOPTIONS"] = options;
        using var run = Process.Start(start)!;
        await run.StandardInput.WriteAsync((input ?? "").AsMemory(), cancellationToken);
        run.StandardInput.Close();
        var (output, error) = (run.StandardOutput.ReadToEndAsync(cancellationToken), run.StandardError.ReadToEndAsync(cancellationToken));
        await Task.WhenAll(output, error);
        await run.WaitForExitAsync(cancellationToken);
        return (run.ExitCode, await output, await error);
    }

    public Task<(int Code, string Output, string Error)> Psql(string database, string sql, CancellationToken cancellationToken, string? options = null) =>
        Run("psql", database, ["-X", "-A", "-t", "-v", "VERBOSITY=verbose"], cancellationToken, sql, options);

    /// <summary>Ends the program in order, so that every record is written.</summary>
    public async Task<IReadOnlyList<JsonElement>> Stop(CancellationToken cancellationToken)
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", $"{process.Id}"]);
        await process.WaitForExitAsync(cancellationToken);
        await reading;
        return [.. Audit.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
        folder.Delete(recursive: true);
    }

    async Task ReadLog()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            log.Enqueue(line);
            const string said = "Listening on postgres 127.0.0.1:";
            if (line.IndexOf(said, StringComparison.Ordinal) is >= 0 and var at)
                listening.TrySetResult(int.Parse(line[(at + said.Length)..].TrimEnd('.'), System.Globalization.CultureInfo.InvariantCulture));
        }

        listening.TrySetException(new InvalidOperationException($"The program ended: {Log}"));
    }
}
