using Centaur.Cli.Commands;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Api;

public sealed class UsageVerbTests : IAsyncLifetime
{
    StandInServer server = null!;
    TemporaryHome home = null!;

    public async ValueTask InitializeAsync()
    {
        server = await StandInServer.Start();
        home = new TemporaryHome(server.Variables);
    }

    public async ValueTask DisposeAsync()
    {
        await home.DisposeAsync();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_threads_turns_stand_in_a_table_with_their_sum()
    {
        (await Run("usage --thread t-1")).ShouldBe(ExitCode.Ok);

        Rows().ShouldBe(["TURN MODEL CALLS INPUT CACHED OUTPUT COST", "exe_1 gpt-5 3 12,345 2,000 678 $0.0375", "total 3 12,345 2,000 678 $0.0375"]);
        home.Error.ShouldContain("1 calls were cut off");
    }

    [Fact]
    public async Task What_is_unknown_is_said_to_be_and_nothing_steers_the_terminal()
    {
        (await Run("usage")).ShouldBe(ExitCode.Ok);

        Rows().ShouldBe(["DAY MODEL CALLS INPUT CACHED OUTPUT COST", "2026-11-21 evil[2J 2 10 unknown 5 unknown", "total 2 10 unknown 5 unknown"]);
        home.Error.ShouldContain("2 calls have no known price");
    }

    [Fact]
    public async Task Where_no_model_was_asked_it_says_so()
    {
        (await Run("usage --days 1")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe("");
        home.Error.ShouldContain("No model was asked.");
    }

    [Fact]
    public async Task With_json_it_is_as_the_server_gave_it()
    {
        (await Run("usage --thread t-1 --json")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldContain("\"cost_usd\":0.0375");
        (await Run("usage --thread t-2")).ShouldBe(ExitCode.Refused);
        (await Run("usage --days 0")).ShouldBe(ExitCode.Usage);
    }

    IEnumerable<string> Rows() => home.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    Task<int> Run(string line) => CentaurCommand.Run(line.Split(' '), home.Context, TestContext.Current.CancellationToken);
}
