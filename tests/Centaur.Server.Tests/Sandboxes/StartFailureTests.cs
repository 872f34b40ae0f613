using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Sandboxes;

/// <summary>Turns whose sandbox or harness cannot be had on this machine, on a server of its own that runs them.</summary>
public sealed class StartFailureTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F5_F13_a_full_disk_ends_the_turn_within_ten_seconds_and_is_named_and_the_server_goes_on()
    {
        await using var server = await Start([], home =>
        {
            var sandboxes = Path.Combine(home, "sandboxes");
            Directory.CreateDirectory(sandboxes);
            return OwnMounts.SmallDisk(sandboxes, "4k,nr_inodes=8");
        });

        await Fails(server, "built-in", "The sandbox could not be prepared on this machine: its disk is full.");
        (await server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("exit 127", "npm is not on this machine. Install Node.js")]
    [InlineData("echo 'npm error 404 the registry has no such package' >&2; exit 1", "npm could not install @openai/codex")]
    [InlineData("exit 0", "is not in it. The pin does not fit this machine's platform.")]
    public async Task F5_a_harness_that_cannot_be_fetched_ends_the_turn_within_ten_seconds_and_says_why(string npm, string why)
    {
        var programs = Directory.CreateTempSubdirectory("centaur-npm-").FullName;
        try
        {
            var script = Path.Combine(programs, "npm");
            await File.WriteAllTextAsync(script, $"#!/bin/sh\n{npm}\n", Cancel);
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await using var server = await Start(new Dictionary<string, string> { ["PATH"] = $"{programs}:{Environment.GetEnvironmentVariable("PATH")}" }, _ => []);

            await Fails(server, "codex", why);
        }
        finally
        {
            Directory.Delete(programs, recursive: true);
        }
    }

    [Fact]
    public async Task F5_F13_a_full_disk_under_the_harnesses_ends_the_turn_and_not_the_server()
    {
        await using var server = await Start([], home =>
        {
            var harnesses = Path.Combine(home, "harnesses");
            Directory.CreateDirectory(harnesses);
            return OwnMounts.SmallDisk(harnesses, "4k,nr_inodes=1");
        });

        await Fails(server, "codex", "The codex harness could not be installed on this machine: No space left on device");
        (await server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task F5_a_turn_that_meets_a_fault_of_the_servers_own_is_failed_and_the_server_and_the_next_turn_go_on()
    {
        var database = await postgres.CreateDatabase(Cancel);
        await using var server = await ServerProcess.Start(database, "", Cancel, new Dictionary<string, string> { ["EXECUTION_WORKER_CONCURRENCY"] = "1" });
        await using var connection = new Npgsql.NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var fault = new Npgsql.NpgsqlCommand(
            """
            create function fault() returns trigger language plpgsql as 'begin raise exception ''nobody expected this''; end';
            create trigger fault before update on sandboxes for each row when (new.fencing_generation <> old.fencing_generation) execute function fault()
            """,
            connection);
        await fault.ExecuteNonQueryAsync(Cancel);
        var pid = server.Pid;

        await Fails(server, "built-in", "The server could not run this turn because of a fault of its own");
        await Fails(server, "built-in", "The server could not run this turn because of a fault of its own");

        server.Pid.ShouldBe(pid);
        server.Log.ShouldContain("nobody expected this");
        (await server.Api.Get("/health/ready")).Status.ShouldBe(HttpStatusCode.OK);
    }

    async Task<ServerProcess> Start(Dictionary<string, string> variables, Func<string, IReadOnlyList<string>> under)
    {
        variables["EXECUTION_WORKER_CONCURRENCY"] = "1";
        return await ServerProcess.Start(await postgres.CreateDatabase(Cancel), "", Cancel, variables, under);
    }

    static async Task Fails(ServerProcess server, string harness, string why)
    {
        var thread = Http.NewThread();
        await server.Api.PostOk("/agent/spawn", new JsonObject { ["thread_key"] = thread, ["harness"] = harness });
        var began = Stopwatch.GetTimestamp();
        var execution = await server.Api.Queue(thread);
        // The stream of an execution ends with it.
        await server.Api.GetStringAsync($"/agent/threads/{Uri.EscapeDataString(thread)}/events?execution_id={execution}", Cancel);

        Stopwatch.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        var view = (await server.Api.Get($"/agent/executions/{execution}")).Json!;
        ((string)view["status"]!).ShouldBe("failed_permanent", view.ToJsonString());
        ((string)view["error_text"]!).ShouldContain(why);
    }
}
