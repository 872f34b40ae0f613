using Centaur.Cli.Commands;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Api;

public sealed class OperatorVerbsTests : IAsyncLifetime
{
    StandInServer server = null!;
    TemporaryHome home = null!;

    public async ValueTask InitializeAsync()
    {
        server = await StandInServer.Start();
        home = new TemporaryHome(server.Variables, "the-value\n");
    }

    public async ValueTask DisposeAsync()
    {
        await home.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_new_key_is_the_only_thing_on_standard_output()
    {
        (await Run("keys", "create", "ci", "--scope", "agent", "--scope", "tools:*")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe("aiv2_new\n");
        home.Error.ShouldContain("agent, tools:*");
    }

    [Fact]
    public async Task A_refused_scope_is_shown_in_the_servers_words()
    {
        (await Run("keys", "create", "ci", "--scope", "nonsense")).ShouldBe(ExitCode.Refused);

        home.Error.ShouldContain("Invalid scope: nonsense.");
    }

    [Fact]
    public async Task A_key_that_is_unknown_cannot_be_revoked()
    {
        (await Run("keys", "revoke", "k1")).ShouldBe(ExitCode.Ok);
        (await Run("keys", "revoke", "k2")).ShouldBe(ExitCode.Refused);
    }

    [Fact]
    public async Task Threads_are_listed_as_a_table_of_one_line_each()
    {
        (await Run("threads", "ls")).ShouldBe(ExitCode.Ok);

        var lines = home.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(2);
        lines[1].ShouldContain("t-1");
        lines[1].ShouldContain("2025-11-20 18:00:00Z");
    }

    [Fact]
    public async Task A_secret_cannot_be_set_on_another_machine()
    {
        (await Run("secrets", "set", "OPENAI_API_KEY")).ShouldBe(ExitCode.Usage);

        server.Secrets.ShouldBeEmpty();
        home.Error.ShouldNotContain("the-value");
    }

    Task<int> Run(params string[] arguments) => CentaurCommand.Run(arguments, home.Context, TestContext.Current.CancellationToken);
}
