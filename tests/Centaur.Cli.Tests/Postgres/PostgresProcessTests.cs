using System.Globalization;
using Centaur.Cli.Postgres;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Postgres;

/// <summary>A real Postgres in a home of its own for each test.</summary>
public sealed class PostgresProcessTests : IAsyncLifetime
{
    readonly TemporaryHome home = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        home.Folders.MakeAll();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => home.DisposeAsync();

    [Fact]
    public async Task A_first_start_makes_a_database_that_takes_connections_of_our_user()
    {
        (await home.Postgres.EnsureRunning(home.Folders, Token)).ShouldBeTrue();

        (await Scalar("select current_user || ' ' || current_database() || ' ' || pg_encoding_to_char(encoding) from pg_database where datname = current_database()"))
            .ShouldBe("centaur centaur UTF8");
        (await Scalar("show data_checksums")).ShouldBe("on");
        (await Scalar("show fsync")).ShouldBe("on");
        (await Scalar("show synchronous_commit")).ShouldBe("on");
        (await Scalar("show listen_addresses")).ShouldBe("");
        File.GetUnixFileMode(home.Context.Layout.PostgresSocketFolder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task A_second_start_finds_the_first_one_running()
    {
        await home.Postgres.EnsureRunning(home.Folders, Token);
        var first = home.Postgres.Running();

        (await home.Postgres.EnsureRunning(home.Folders, Token)).ShouldBeFalse();

        home.Postgres.Running().ShouldBe(first);
    }

    [Fact]
    public async Task A_stopped_Postgres_starts_again_with_its_data()
    {
        await home.Postgres.EnsureRunning(home.Folders, Token);
        await Execute("create table kept (n int); insert into kept values (41)");

        (await home.Postgres.Stop(Token)).ShouldBeTrue();
        home.Postgres.Running().ShouldBeNull();
        (await home.Postgres.Stop(Token)).ShouldBeFalse();
        await home.Postgres.EnsureRunning(home.Folders, Token);

        (await Scalar("select n from kept")).ShouldBe("41");
    }

    [Fact]
    public async Task A_killed_Postgres_starts_again_with_everything_that_was_committed()
    {
        await home.Postgres.EnsureRunning(home.Folders, Token);
        await Execute("create table kept (n int); insert into kept values (42)");

        ProcessTable.Signal(home.Postgres.Running()!, Native.SigKill).ShouldBeTrue();
        (await home.Postgres.EnsureRunning(home.Folders, Token)).ShouldBeTrue();

        (await Scalar("select n from kept")).ShouldBe("42");
    }

    [Fact]
    public async Task A_lock_file_that_names_somebody_elses_process_is_not_believed()
    {
        await home.Postgres.EnsureRunning(home.Folders, Token);
        var pidFile = Path.Combine(home.Context.Layout.PostgresData, "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(pidFile, Token);
        await home.Postgres.Stop(Token);
        lines[0] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(pidFile, lines, Token);
        await home.Folders.GiveToPostgres(pidFile, Token);

        home.Postgres.Running().ShouldBeNull();
        (await home.Postgres.EnsureRunning(home.Folders, Token)).ShouldBeTrue();

        (await Scalar("select 1")).ShouldBe("1");
    }

    [Fact]
    public async Task A_half_made_cluster_is_made_again()
    {
        var unfinished = home.Context.Layout.PostgresData + ".new";
        Directory.CreateDirectory(Path.Combine(unfinished, "base"));
        await File.WriteAllTextAsync(Path.Combine(unfinished, "PG_VERSION"), "15\n", Token);

        await home.Postgres.EnsureRunning(home.Folders, Token);

        (await Scalar("select 1")).ShouldBe("1");
        Directory.Exists(unfinished).ShouldBeFalse();
    }

    [Fact]
    public async Task A_folder_that_is_no_cluster_is_kept_aside_and_never_deleted()
    {
        Directory.CreateDirectory(home.Context.Layout.PostgresData);
        await File.WriteAllTextAsync(Path.Combine(home.Context.Layout.PostgresData, "somebody.txt"), "mine", Token);

        await home.Postgres.EnsureRunning(home.Folders, Token);

        (await Scalar("select 1")).ShouldBe("1");
        var aside = Directory.EnumerateDirectories(home.Context.Layout.Home, "postgres.aside-*").ShouldHaveSingleItem();
        (await File.ReadAllTextAsync(Path.Combine(aside, "somebody.txt"), Token)).ShouldBe("mine");
        home.Error.ShouldContain(aside);
    }

    [Fact]
    public async Task Data_of_a_version_that_is_not_installed_is_left_alone_and_named()
    {
        Directory.CreateDirectory(home.Context.Layout.PostgresData);
        await File.WriteAllTextAsync(Path.Combine(home.Context.Layout.PostgresData, "PG_VERSION"), "9\n", Token);

        var failure = await Should.ThrowAsync<CliError>(() => home.Postgres.EnsureRunning(home.Folders, Token));

        failure.ExitCode.ShouldBe(ExitCode.Prerequisite);
        failure.Message.ShouldContain("made by Postgres 9, which is not installed");
        failure.Remedy!.ShouldContain("postgresql-9");
    }

    [Fact]
    public async Task A_Postgres_that_cannot_start_is_explained_by_its_own_log()
    {
        await home.Postgres.EnsureRunning(home.Folders, Token);
        await home.Postgres.Stop(Token);
        await File.AppendAllTextAsync(Path.Combine(home.Context.Layout.PostgresData, "postgresql.conf"), "shared_buffers = 'a lot'\n", Token);

        var failure = await Should.ThrowAsync<CliError>(() => home.Postgres.EnsureRunning(home.Folders, Token));

        failure.Message.ShouldBe("Postgres ended while it started.");
        failure.Evidence.ShouldContain(line => line.Contains("shared_buffers"));
    }

    async Task<string?> Scalar(string sql)
    {
        await using var connection = await Connect();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(Token), CultureInfo.InvariantCulture);
    }

    async Task Execute(string sql)
    {
        await using var connection = await Connect();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    async Task<NpgsqlConnection> Connect()
    {
        var connection = new NpgsqlConnection(home.Context.Layout.EmbeddedDatabaseUrl + ";Pooling=false");
        await connection.OpenAsync(Token);
        return connection;
    }
}
