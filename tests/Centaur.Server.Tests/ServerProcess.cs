using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Server.Tests;

/// <summary>The server as a process of its own, for what cannot be measured or broken inside the tests': its memory, its clock, its disk.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    const string WithoutWorkers = "0";

    readonly string home = Directory.CreateTempSubdirectory("centaur-server-").FullName;
    readonly Process process;

    ServerProcess(string database, string yaml, IReadOnlyDictionary<string, string> variables, Func<string, IReadOnlyList<string>> under)
    {
        File.WriteAllText(Path.Combine(home, "centaur.yaml"), $"listen:\n  api: 127.0.0.1:0\n  public: off\n{yaml}log: {{level: Warning}}\n");
        string[] command = [.. under(home), Path.Combine(AppContext.BaseDirectory, "centaur-server")];
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment["CENTAUR_HOME"] = home;
        start.Environment["DATABASE_URL"] = database;
        start.Environment["EXECUTION_WORKER_CONCURRENCY"] = WithoutWorkers;
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            lock (log)
                log.Add(line.Data ?? "");
        };
        process.BeginOutputReadLine();
    }

    readonly List<string> log = [];

    /// <summary>Calls the API with the first admin key.</summary>
    public HttpClient Api { get; private set; } = null!;

    public string Key => Api.DefaultRequestHeaders.Authorization!.Parameter!;

    public int Pid => File.Exists(StateFile) ? JsonSerializer.Deserialize(File.ReadAllText(StateFile), ProtocolJson.Default.ServerState)!.Process.Pid : process.Id;

    /// <summary>Pages that are in memory now, in bytes.</summary>
    public long ResidentBytes => Memory("VmRSS");

    /// <summary>The most that <see cref="ResidentBytes"/> ever was.</summary>
    public long PeakBytes => Memory("VmHWM");

    /// <summary>What it has logged so far.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return string.Join('\n', log);
        }
    }

    /// <summary>Where it says how it can be reached, for as long as it runs.</summary>
    public string StateFile => Layout.ServerStateFile;

    public int ExitCode => process.ExitCode;

    HostLayout Layout => HostLayout.Find(name => name == "CENTAUR_HOME" ? home : null, Environment.IsPrivilegedProcess ? 0u : 1000u);

    /// <summary>Starts it on a database and waits until it is ready.</summary>
    /// <param name="database">A connection string.</param>
    /// <param name="yaml">More lines of its configuration; those that are indented belong to <c>listen</c>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="variables">More of its environment.</param>
    /// <param name="under">Of its home folder, the words of a command that it is started under.</param>
    public static async Task<ServerProcess> Start(
        string database, string yaml, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? variables = null, Func<string, IReadOnlyList<string>>? under = null)
    {
        var server = new ServerProcess(database, yaml, variables ?? new Dictionary<string, string>(), under ?? (_ => []));
        try
        {
            await server.Meet(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to end, as <c>centaur down</c> does, and waits until it has.</summary>
    public async Task Stop(CancellationToken cancellationToken)
    {
        using var terminate = Process.Start("kill", ["-TERM", Pid.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Api?.Dispose();
        if (!process.HasExited)
            await Stop(CancellationToken.None);
        process.Dispose();
        var runtime = Layout.Runtime;
        foreach (var folder in new[] { home, runtime }.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    async Task Meet(CancellationToken cancellationToken)
    {
        while (!File.Exists(StateFile))
        {
            process.HasExited.ShouldBeFalse(Log);
            await Task.Delay(20, cancellationToken);
        }

        var state = JsonSerializer.Deserialize(await File.ReadAllTextAsync(StateFile, cancellationToken), ProtocolJson.Default.ServerState)!;
        Api = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(state.Api), Timeout = TimeSpan.FromMinutes(2) };
        while ((await Api.Get("/health/ready")).Status != System.Net.HttpStatusCode.OK)
            await Task.Delay(20, cancellationToken);
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Layout.BootstrapKeyFile, cancellationToken)).Trim());
    }

    long Memory(string line) =>
        long.Parse(File.ReadLines($"/proc/{Pid}/status").Single(l => l.StartsWith(line + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
}
