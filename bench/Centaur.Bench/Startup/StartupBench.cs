using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Bench.Startup;

/// <summary>From the server's start until it says that it is ready, on a database that exists.</summary>
internal sealed class StartupBench : IBench
{
    const int Rounds = 7;
    const double Goal = 2000;

    public string Description => "Server start to ready on an existing database.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var home = $"/tmp/centaur-bench-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        Directory.CreateDirectory(home);
        await File.WriteAllTextAsync(Path.Combine(home, "centaur.yaml"), "listen:\n  api: 127.0.0.1:0\n  public: off\n", cancellationToken);
        var layout = HostLayout.Find(name => name == "CENTAUR_HOME" ? home : Environment.GetEnvironmentVariable(name), Environment.IsPrivilegedProcess ? 0u : 1u);
        try
        {
            await Cli(context, home, "up", "--detach");
            await End(JsonSerializer.Deserialize(await File.ReadAllBytesAsync(layout.ServerPidFile, cancellationToken), ProtocolJson.Default.ProcessMark)!.Pid);

            var times = new List<double>();
            for (var round = 0; round < Rounds; round++)
                times.Add(await TimeOne(context, layout, cancellationToken));
            times.Sort();
            yield return Figure.AtMost("server start to ready, median", times[Rounds / 2], "ms", Goal);
            yield return Figure.AtMost("server start to ready, worst", times[^1], "ms", Goal);
        }
        finally
        {
            await Cli(context, home, "down");
            Directory.Delete(home, recursive: true);
            Directory.Delete(layout.Runtime, recursive: true);
        }
    }

    static async Task<double> TimeOne(BenchContext context, HostLayout layout, CancellationToken cancellationToken)
    {
        File.Delete(layout.ServerStateFile);
        var start = new ProcessStartInfo(Path.Combine(context.Dist, "server", "centaur-server")) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["CENTAUR_HOME"] = layout.Home;
        start.Environment["DATABASE_URL"] = layout.EmbeddedDatabaseUrl;
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var begun = Stopwatch.GetTimestamp();
        using var server = Process.Start(start)!;
        server.OutputDataReceived += (_, _) => { };
        server.ErrorDataReceived += (_, _) => { };
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        try
        {
            while (!await IsReady(http, layout, cancellationToken))
            {
                if (server.HasExited)
                    throw new InvalidOperationException($"The server ended with {server.ExitCode}.");
                await Task.Delay(2, cancellationToken);
            }

            return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }
        finally
        {
            await End(server.Id);
        }
    }

    static async Task<bool> IsReady(HttpClient http, HostLayout layout, CancellationToken cancellationToken)
    {
        try
        {
            var state = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(layout.ServerStateFile, cancellationToken), ProtocolJson.Default.ServerState)!;
            using var answer = await http.GetAsync(new Uri($"{state.Api}/health/ready"), cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception early) when (early is IOException or JsonException or HttpRequestException)
        {
            return false;
        }
    }

    static async Task Cli(BenchContext context, string home, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(context.Dist, "cli", "centaur-cli"), arguments) { UseShellExecute = false };
        start.Environment["CENTAUR_HOME"] = home;
        using var cli = Process.Start(start)!;
        await cli.WaitForExitAsync();
        if (cli.ExitCode != 0)
            throw new InvalidOperationException($"centaur {string.Join(' ', arguments)} ended with {cli.ExitCode}.");
    }

    /// <summary>As <c>centaur down</c> does, so that what is measured is the usual start and not a recovery.</summary>
    static async Task End(int pid)
    {
        using var kill = Process.Start("kill", ["-TERM", $"{pid}"]);
        await kill.WaitForExitAsync();
        while (Directory.Exists($"/proc/{pid}") && !(await File.ReadAllTextAsync($"/proc/{pid}/stat")).Contains(") Z ", StringComparison.Ordinal))
            await Task.Delay(5);
    }
}
