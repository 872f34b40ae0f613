using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests;

/// <summary>The program as a process.</summary>
public sealed class ProgramTests(PostgresServer postgres) : IDisposable
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    readonly string home = Directory.CreateTempSubdirectory("centaur-program-").FullName;

    public void Dispose()
    {
        var layout = Centaur.Protocol.Host.HostLayout.Find(name => name == "CENTAUR_HOME" ? home : null, Environment.IsPrivilegedProcess ? 0u : 1000u);
        foreach (var folder in new[] { home, layout.Runtime }.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_wrong_configuration_ends_with_78_and_says_why()
    {
        await Configure("lissten: {}");
        var (code, error) = await Run("--check-config");
        code.ShouldBe(78);
        error.ShouldContain("lissten is not known. Did you mean listen?");
    }

    [Fact]
    public async Task A_good_configuration_ends_with_0_and_starts_nothing()
    {
        await Configure("");
        (await Run("--check-config")).Code.ShouldBe(0);
        Directory.GetFileSystemEntries(home).Select(Path.GetFileName).ShouldBe(["centaur.yaml"]);
    }

    [Fact]
    public async Task An_occupied_port_is_said_in_plain_words()
    {
        using var occupied = new TcpListener(IPAddress.Loopback, 0);
        occupied.Start();
        await Configure($"listen: {{api: \"{occupied.LocalEndpoint}\", public: off}}");
        var (code, error) = await Run();
        code.ShouldBe(1);
        error.ShouldContain($"{occupied.LocalEndpoint}");
        error.ShouldContain("choose another address under listen:");
        error.ShouldNotContain("   at ");
        error.Trim().Split('\n').Length.ShouldBe(1);
        (await Run("--check-start")).ShouldBe((1, error));
        (await Run("--check-config")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task A_database_is_tried_without_a_start()
    {
        await Configure("");
        var (code, error) = await Run("--check-database");
        code.ShouldBe(1);
        error.ShouldContain("/nowhere");
        using var good = Start(["--check-database"], await postgres.CreateDatabase(Cancel));
        await good.WaitForExitAsync(Cancel);
        good.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task It_migrates_serves_and_stops_cleanly_at_SIGTERM()
    {
        var server = await ServerProcess.Start(await postgres.CreateDatabase(Cancel), "", Cancel);

        await server.Stop(Cancel);

        server.ExitCode.ShouldBe(0);
        File.Exists(server.StateFile).ShouldBeFalse();
        await server.DisposeAsync();
    }

    async Task Configure(string yaml) => await File.WriteAllTextAsync(Path.Combine(home, "centaur.yaml"), yaml + "\n", Cancel);

    async Task<(int Code, string Error)> Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var error = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, error);
    }

    Process Start(string[] arguments, string database = "Host=/nowhere;Database=none")
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "centaur-server"), arguments) { UseShellExecute = false, RedirectStandardError = true };
        start.Environment["CENTAUR_HOME"] = home;
        start.Environment["DATABASE_URL"] = database;
        return Process.Start(start)!;
    }
}
