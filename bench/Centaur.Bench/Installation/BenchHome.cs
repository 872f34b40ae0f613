using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.Protocol;
using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;

namespace Centaur.Bench.Installation;

/// <summary>
/// A whole Centaur in a folder of its own, with a script in codex's place that answers at once (<c>Installation/codex</c>). Gone, with all its processes, when
/// it is disposed.
/// </summary>
internal sealed partial class BenchHome : IAsyncDisposable
{
    /// <summary>Configuration for those whose script asks no model.</summary>
    public const string WithoutModelKey = "model:\n  codex:\n    key: none\n";

    readonly string dist;
    readonly string home = $"/tmp/centaur-bench-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
    HttpClient? http;

    BenchHome(string dist) => this.dist = dist;

    public string Folder => home;

    public HttpClient Http => http ?? throw new InvalidOperationException("Not up.");

    public HostLayout Layout => HostLayout.Find(name => name == "CENTAUR_HOME" ? home : Environment.GetEnvironmentVariable(name), Environment.IsPrivilegedProcess ? 0u : 1u);

    /// <param name="context">Where the programs are.</param>
    /// <param name="prepare">Runs in the new home before anything is up, and returns more lines for its configuration.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<BenchHome> Start(BenchContext context, Func<BenchHome, Task<string>>? prepare, CancellationToken cancellationToken)
    {
        var started = new BenchHome(context.Dist);
        try
        {
            await started.Up(prepare, cancellationToken);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public Task<string> Cli(IEnumerable<string> arguments, CancellationToken cancellationToken, string? input = null) =>
        Programs.Run(Path.Combine(dist, "cli", "centaur-cli"), arguments, cancellationToken, new Dictionary<string, string> { ["CENTAUR_HOME"] = home }, input);

    /// <summary>Runs statements in the installation's database and returns what they print, unaligned.</summary>
    public Task<string> Sql(string statements, CancellationToken cancellationToken) =>
        Programs.Run(PostgresProgram("psql"), [.. Database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statements], cancellationToken);

    /// <summary>Options of Postgres's own programs that lead to the installation's database.</summary>
    public IReadOnlyList<string> Database => ["-h", Layout.PostgresSocketFolder, "-p", $"{HostLayout.PostgresPort}", "-U", HostLayout.DatabaseName, "-d", HostLayout.DatabaseName];

    /// <summary>The yardstick: how often per second so many clients commit this statement, each in a transaction of its own.</summary>
    public async Task<double> PgBench(string statement, int clients, CancellationToken cancellationToken)
    {
        var script = Path.Combine(home, "pgbench.sql");
        await File.WriteAllTextAsync(script, statement + ";\n", cancellationToken);
        // pgbench takes the database as its last word.
        var printed = await Programs.Run(
            PostgresProgram("pgbench"), ["-n", "-M", "prepared", "-c", $"{clients}", "-j", "2", "-T", "8", "-f", script, .. Database.Where(option => option != "-d")], cancellationToken);
        return double.Parse(Tps().Match(printed).Groups["tps"].ValueSpan, CultureInfo.InvariantCulture);
    }

    static string PostgresProgram(string name) => Programs.Find(name) ?? throw new InvalidOperationException($"{name} is not on this machine.");

    async Task Up(Func<BenchHome, Task<string>>? prepare, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(home);
        var program = Path.Combine(Layout.HarnessesFolder, HarnessPins.Codex.Name, HarnessPins.Codex.Version, HarnessPins.Codex.BinaryRelativePath);
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Installation", "codex"), program);
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        var more = prepare is null ? "" : await prepare(this);
        await File.WriteAllTextAsync(Layout.ConfigFile, $"listen:\n  api: 127.0.0.1:0\n  public: 127.0.0.1:0\n{more}", cancellationToken);
        await Cli(["up", "--detach"], cancellationToken);
        var server = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(Layout.ServerStateFile, cancellationToken), ProtocolJson.Default.ServerState)!;
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(server.Api), Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Layout.BootstrapKeyFile, cancellationToken)).Trim());
    }

    public async ValueTask DisposeAsync()
    {
        http?.Dispose();
        if (!Directory.Exists(home))
            return;
        await Cli(["down"], CancellationToken.None);
        Directory.Delete(home, recursive: true);
        if (Directory.Exists(Layout.Runtime))
            Directory.Delete(Layout.Runtime, recursive: true);
    }

    [GeneratedRegex(@"tps = (?<tps>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tps();
}
