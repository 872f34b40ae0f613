using Centaur.Cli.Commands;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Api;

public sealed class EgressVerbsTests : IAsyncLifetime
{
    const string Lines =
        """
               7  2026-11-21 20:00:00.123Z  intent        POST     api.vendor.test/v1/x?q=…  rule model  secrets KEY, OTHER  for ann by ci
               8  2026-11-21 20:00:01.000Z  outcome  200           api.vendor.test  5120 B sent, 20934 B received, 2310.7 ms
               9  2026-11-21 20:00:02.000Z  REFUSED  403  GET      evil[2J fake.test:8443/  host_not_allowed

        """;

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

    [Theory]
    [InlineData("egress tail")]
    [InlineData("egress tail --thread t-1 -n 3")]
    [InlineData("egress show --thread t-1")]
    public async Task Records_are_aligned_refusals_are_marked_and_nothing_steers_the_terminal(string line)
    {
        (await Run(line)).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe(Lines);
    }

    [Fact]
    public async Task With_json_each_record_is_a_line_as_the_server_gave_it()
    {
        (await Run("egress tail --json")).ShouldBe(ExitCode.Ok);

        var lines = home.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(3);
        lines[2].ShouldContain("evil\\u001b[2J\\nfake.test");
    }

    [Fact]
    public async Task What_comes_later_is_followed_until_it_is_interrupted()
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var tail = CentaurCommand.Run(["egress", "tail", "--follow"], home.Context, enough.Token);
        while (home.Output.Length < Lines.Length && !tail.IsCompleted)
            await Task.Delay(20, enough.Token);

        await enough.CancelAsync();

        (await tail).ShouldBe(ExitCode.Interrupted);
        home.Output.ShouldBe(Lines);
    }

    [Fact]
    public async Task A_request_is_shown_with_every_field_on_a_line_of_its_own()
    {
        (await Run("egress show 7")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldContain("record 7, line 1 of sbx-1\n");
        home.Output.ShouldContain("  secrets             KEY, OTHER\n");
        home.Output.ShouldContain("  host                evil[2J fake.test\n");
        (await Run("egress show 8")).ShouldBe(ExitCode.Refused);
    }

    [Theory]
    [InlineData("egress show")]
    [InlineData("egress show 7 --thread t-1")]
    [InlineData("egress show x")]
    [InlineData("egress tail -n 501")]
    public async Task What_makes_no_sense_is_refused_before_anybody_is_asked(string line) => (await Run(line)).ShouldBe(ExitCode.Usage);

    [Fact]
    public async Task A_chain_that_holds_is_said_to_and_one_that_does_not_names_the_row_and_fails()
    {
        (await Run("egress verify")).ShouldBe(ExitCode.Ok);
        home.Output.ShouldBe("Holds: 9 records of 2 sandboxes, 0 faults.\n");

        (await Run("egress verify --sandbox sbx-bad")).ShouldBe(ExitCode.Failed);
        home.Output.ShouldContain("sbx-bad: line 4 (record 9) does not follow from the line before it: it was altered, or moved here.\n");
        home.Output.ShouldContain("DOES NOT HOLD");
    }

    Task<int> Run(string line) => CentaurCommand.Run(line.Split(' '), home.Context, TestContext.Current.CancellationToken);
}
