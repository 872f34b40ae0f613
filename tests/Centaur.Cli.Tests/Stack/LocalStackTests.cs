using System.Net;
using System.Net.Sockets;
using Centaur.Cli.Commands;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;
using Centaur.Protocol;
using Centaur.Protocol.Host;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Stack;

/// <summary>The real Postgres, broker and server, as <c>./centaur</c> published them, in a home of its own for each test.</summary>
public sealed class LocalStackTests : IAsyncLifetime
{
    TemporaryHome home = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    LocalStack Stack => new(home.Context);

    public ValueTask InitializeAsync()
    {
        var dist = Dist();
        Assert.SkipUnless(File.Exists(Path.Combine(dist, "server", "centaur-server")), $"There are no published programs in {dist}; ./centaur makes them.");
        home = new TemporaryHome(dist: dist);
        home.Configure("listen:\n  api: 127.0.0.1:0\n  public: off\n");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => home?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Up_starts_everything_once_and_down_ends_it_all()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);
        var server = Stack.Server.Running();
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);
        Stack.Server.Running().ShouldBe(server);
        home.Error.ShouldContain("Centaur was already up");
        (await Run("status")).ShouldBe(ExitCode.Ok);

        (await Run("down")).ShouldBe(ExitCode.Ok);

        (await Run("status")).ShouldBe(ExitCode.Unavailable);
        Stack.Server.Running().ShouldBeNull();
        Stack.Broker.Running().ShouldBeNull();
        Stack.Postgres.Running().ShouldBeNull();
    }

    [Fact]
    public async Task A_demo_model_that_the_home_had_is_back_after_down_and_up_and_another_home_gets_none()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);
        Stack.DemoModel.Running().ShouldBeNull();
        var first = await Stack.DemoModel.EnsureRunning(Token);

        (await Run("down")).ShouldBe(ExitCode.Ok);
        Stack.DemoModel.Running().ShouldBeNull();
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);

        var second = Stack.DemoModel.Running().ShouldNotBeNull();
        second.BaseUrl.ShouldBe(first.BaseUrl);
        second.Process.ShouldNotBe(first.Process);
    }

    [Fact]
    public async Task Down_leaves_no_empty_folder_where_sockets_were()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);
        Directory.Exists(home.Context.Layout.BrokerFolder).ShouldBeTrue();

        (await Run("down")).ShouldBe(ExitCode.Ok);

        Directory.Exists(home.Context.Layout.Runtime).ShouldBeFalse();
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);
    }

    [Fact]
    public async Task Two_ups_at_once_start_one_of_each()
    {
        var both = await Task.WhenAll(Run("up", "--detach"), Run("up", "--detach"));

        both.ShouldBe([ExitCode.Ok, ExitCode.Ok], home.Error);
        home.Error.Split('\n').Count(line => line == "Starting the server …").ShouldBe(1);
        home.Error.ShouldContain("Centaur was already up");
    }

    [Fact]
    public async Task What_was_killed_is_started_again_by_the_next_up()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);
        ProcessTable.Signal(Stack.Server.Running()!, Native.SigKill);
        ProcessTable.Signal(Stack.Broker.Running()!, Native.SigKill);
        ProcessTable.Signal(Stack.Postgres.Running()!, Native.SigKill);

        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);

        Stack.StateWhenUp().ShouldNotBeNull();
    }

    [Fact]
    public async Task A_pid_that_belongs_to_somebody_else_by_now_is_neither_believed_nor_signalled()
    {
        home.Folders.MakeAll();
        var us = ProcessMark.Of(Environment.ProcessId)!;
        var recycled = us with { StartTicks = us.StartTicks - 1 };
        PidFile.Write(home.Context.Layout.ServerPidFile, recycled, ProtocolJson.Default.ProcessMark);
        PidFile.Write(home.Context.Layout.BrokerPidFile, recycled, ProtocolJson.Default.ProcessMark);

        (await Run("down")).ShouldBe(ExitCode.Ok);
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);

        Stack.StateWhenUp().ShouldNotBeNull();
    }

    [Fact]
    public async Task A_torn_pid_file_names_nobody()
    {
        home.Folders.MakeAll();
        await File.WriteAllTextAsync(home.Context.Layout.ServerPidFile, "{\"pid\":1,\"sta", Token);

        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);
    }

    [Fact]
    public async Task An_occupied_port_is_explained_and_nothing_is_left_half_up()
    {
        using var occupant = new TcpListener(IPAddress.Loopback, 0);
        occupant.Start();
        home.Configure($"listen:\n  api: {occupant.LocalEndpoint}\n  public: off\n");

        (await Run("up", "--detach")).ShouldBe(ExitCode.Prerequisite);

        home.Error.ShouldContain($"{occupant.LocalEndpoint}: address already in use");
        home.Error.ShouldContain(home.Context.Layout.ConfigFile);
        home.Error.Trim().Split('\n').Length.ShouldBe(2, home.Error);
        Directory.Exists(home.Context.Layout.PostgresData).ShouldBeFalse();
        (await Run("doctor")).ShouldBe(ExitCode.Failed);
        home.Output.ShouldContain($"{occupant.LocalEndpoint}: address already in use");
        Stack.Postgres.Running().ShouldBeNull();
        Stack.Broker.Running().ShouldBeNull();
    }

    [Fact]
    public async Task A_wrong_configuration_stops_the_start_with_its_line()
    {
        home.Configure("listen:\n  apii: 127.0.0.1:0\n");

        (await Run("up", "--detach")).ShouldBe(ExitCode.Prerequisite);

        home.Error.ShouldContain($"The configuration is wrong: {home.Context.Layout.ConfigFile}");
        home.Error.ShouldContain("listen.apii is not known. Did you mean listen.api?");
        Directory.Exists(home.Context.Layout.PostgresData).ShouldBeFalse();
        Stack.Postgres.Running().ShouldBeNull();
    }

    [Fact]
    public async Task A_configuration_that_changed_since_the_start_is_told_until_it_is_applied()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);
        (await Run("status", "--json")).ShouldBe(ExitCode.Ok);
        home.Output.ShouldContain("\"configuration_changed\":false");

        home.Configure("listen:\n  api: 127.0.0.1:0\n  public: 127.0.0.1:0\n");

        var told = $"{home.Context.Layout.ConfigFile} has changed since the server started; centaur down && centaur up applies it.";
        (await Run("status")).ShouldBe(ExitCode.Ok);
        home.Output.ShouldContain(told);
        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok);
        home.Error.ShouldContain(told);
    }

    [Fact]
    public async Task A_harness_that_is_none_is_refused_and_no_demo_model_is_started()
    {
        (await Run("ask", "--harness", "codx", "hello")).ShouldBe(ExitCode.Usage, home.Error);

        home.Error.ShouldContain("Did you mean codex?");
        home.Error.ShouldNotContain("demo model");
        Stack.DemoModel.Running().ShouldBeNull();
    }

    [Fact]
    public async Task A_secret_that_the_server_refuses_leaves_the_value_of_before()
    {
        var first = home.WithInput("old\n");
        (await CentaurCommand.Run(["secrets", "set", "ACME_TOKEN", "--host", "api.acme.dev"], first.Context, Token)).ShouldBe(ExitCode.Ok, home.Error);
        var second = home.WithInput("new\n");

        (await CentaurCommand.Run(["secrets", "set", "DATABASE_URL", "--host", "api.acme.dev"], second.Context, Token)).ShouldBe(ExitCode.Refused);

        Directory.EnumerateFiles(home.Context.Layout.SecretsFolder).Select(Path.GetFileName).ShouldBe(["ACME_TOKEN"]);
        home.Error.ShouldContain("DATABASE_URL is one of the server's own secrets");
    }

    [Fact]
    public async Task A_secret_that_stays_at_its_source_leaves_no_value_here()
    {
        (await CentaurCommand.Run(["secrets", "set", "ACME_TOKEN", "--host", "api.acme.dev"], home.WithInput("old\n").Context, Token)).ShouldBe(ExitCode.Ok, home.Error);

        (await Run("secrets", "set", "ACME_TOKEN", "--host", "api.acme.dev", "--source", "vault_kv:secret/acme#token")).ShouldBe(ExitCode.Ok, home.Error);

        Directory.EnumerateFiles(home.Context.Layout.SecretsFolder).ShouldBeEmpty();
        (await Run("secrets", "ls")).ShouldBe(ExitCode.Ok);
        home.Output.ShouldContain("vault_kv:secret/acme#token");
    }

    [Fact]
    public async Task Another_database_is_used_where_DATABASE_URL_names_one_and_a_wrong_one_is_explained()
    {
        await using var postgres = new TemporaryHome();
        postgres.Folders.MakeAll();
        await postgres.Postgres.EnsureRunning(postgres.Folders, Token);
        home = home.With("DATABASE_URL", $"postgresql://{HostLayout.DatabaseName}@/{HostLayout.DatabaseName}?host={postgres.Context.Layout.PostgresSocketFolder}");

        (await Run("up", "--detach")).ShouldBe(ExitCode.Ok, home.Error);
        Stack.Postgres.Running().ShouldBeNull();
        (await Run("status")).ShouldBe(ExitCode.Ok);
        home.Output.ShouldContain("external");
        await Run("doctor");
        home.Output.ShouldContain("It takes our connection.");
        (await Run("down")).ShouldBe(ExitCode.Ok);
        postgres.Postgres.Running().ShouldNotBeNull();

        home = home.With("DATABASE_URL", "postgresql://nobody:s3cr3t@/nothing?host=/nowhere");
        (await Run("up", "--detach")).ShouldBe(ExitCode.Prerequisite);
        home.Error.ShouldContain("DATABASE_URL");
        home.Error.ShouldNotContain("s3cr3t");

        (await Run("doctor")).ShouldBe(ExitCode.Failed);
        home.Output.ShouldContain("DATABASE_URL: The database does not take our connection");
        home.Output.ShouldNotContain("s3cr3t");
    }

    [Fact]
    public async Task A_foreground_up_ends_what_it_started_when_it_is_interrupted()
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var up = CentaurCommand.Run(["up"], home.Context, interrupt.Token);
        while (!home.Error.Contains("Ctrl-C stops it.") && !up.IsCompleted)
            await Task.Delay(20, Token);

        await interrupt.CancelAsync();

        (await up).ShouldBe(ExitCode.Ok, home.Error);
        Stack.Server.Running().ShouldBeNull();
        Stack.Broker.Running().ShouldBeNull();
        Stack.Postgres.Running().ShouldBeNull();
    }

    Task<int> Run(params string[] arguments) => CentaurCommand.Run(arguments, home.Context, Token);

    static string Dist()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Centaur.slnx")))
            folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder ?? "/", "artifacts", "dist");
    }
}
