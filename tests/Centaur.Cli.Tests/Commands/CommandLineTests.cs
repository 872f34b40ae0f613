using System.CommandLine;
using Centaur.Cli.Commands;
using Centaur.Protocol.Host;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Commands;

public sealed class CommandLineTests : IAsyncDisposable
{
    readonly TemporaryHome home = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => home.DisposeAsync();

    [Fact]
    public async Task Without_arguments_the_help_is_printed() =>
        (await Run()).ShouldBe(ExitCode.Ok);

    [Fact]
    public async Task Every_verb_has_help_with_an_example_and_the_texts_are_as_reviewed()
    {
        foreach (var path in Paths(CentaurCommand.Build(home.Context), []))
        {
            (await Run([.. path, "--help"])).ShouldBe(ExitCode.Ok);
            home.Output.ShouldContain("Example");
        }

        Snapshot.Match(home.Output, "help.txt");
        home.Error.ShouldBe("");
    }

    [Theory]
    [InlineData("stauts", "Did you mean status?")]
    [InlineData("threads shwo x", "Did you mean show?")]
    [InlineData("stauts --help", "Did you mean status?")]
    [InlineData("threads shwo --help", "Did you mean show?")]
    [InlineData("up --detatch", "Did you mean --detach?")]
    [InlineData("ask --repoo . hello", "Did you mean --repo?")]
    public async Task A_typing_error_names_the_nearest_word_on_standard_error(string line, string expected)
    {
        (await Run(line.Split(' '))).ShouldBe(ExitCode.Usage);

        home.Error.ShouldContain(expected);
        home.Output.ShouldBe("");
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("frobnicate --help")]
    public async Task A_word_that_is_far_from_every_verb_is_one_sentence_without_a_riddle(string line)
    {
        (await Run(line.Split(' '))).ShouldBe(ExitCode.Usage);

        home.Error.ShouldBe("centaur: Unrecognized command or argument 'frobnicate'.\n  To do: centaur --help\n");
    }

    [Fact]
    public async Task Every_scope_is_explained()
    {
        (await Run("keys", "create", "--help")).ShouldBe(ExitCode.Ok);

        foreach (var scope in KeyScopes.All)
            home.Output.ShouldContain($"  {scope.Name,-18}{scope.Meaning}\n");
    }

    [Fact]
    public async Task Status_of_an_empty_home_says_so_and_ends_with_4()
    {
        (await Run("status", "--json")).ShouldBe(ExitCode.Unavailable);

        home.Output.ShouldStartWith($"{{\"home\":\"{home.Context.Layout.Home}\"");
        home.Output.ShouldContain("\"up\":false");
    }

    [Theory]
    [InlineData("threads ls")]
    [InlineData("keys ls")]
    [InlineData("secrets ls")]
    [InlineData("threads tail x")]
    public async Task What_needs_a_server_says_that_none_runs_and_what_to_do(string line)
    {
        (await Run(line.Split(' '))).ShouldBe(ExitCode.Unavailable);

        home.Error.ShouldContain("Centaur is not running.");
        home.Error.ShouldContain("centaur up --detach");
    }

    [Fact]
    public async Task An_unknown_variable_stops_every_verb_and_the_nearest_is_named()
    {
        await using var misspelled = new TemporaryHome(new Dictionary<string, string>(StringComparer.Ordinal) { ["CENTAUR_CONFG"] = "x" });

        (await CentaurCommand.Run(["status"], misspelled.Context, Token)).ShouldBe(ExitCode.Prerequisite);

        misspelled.Error.ShouldContain("Did you mean CENTAUR_CONFIG?");
        (await CentaurCommand.Run(["down"], misspelled.Context, Token)).ShouldBe(ExitCode.Ok);
    }

    [Fact]
    public async Task An_unknown_variable_that_is_far_from_every_known_one_is_no_riddle()
    {
        await using var strange = new TemporaryHome(new Dictionary<string, string>(StringComparer.Ordinal) { ["CENTAUR_FROBNICATE"] = "x" });

        (await CentaurCommand.Run(["status"], strange.Context, Token)).ShouldBe(ExitCode.Prerequisite);

        strange.Error.ShouldContain("CENTAUR_FROBNICATE is set, and no program reads it.\n");
    }

    [Fact]
    public async Task A_log_is_for_people_and_with_json_as_it_is()
    {
        home.Folders.MakeAll();
        const string Line = """{"Timestamp":"2025-11-20T18:00:00.000Z","EventId":1,"LogLevel":"Error","Category":"C","Message":"It broke","Exception":"System.IO.IOException: gone\n   at Main()"}""";
        await File.WriteAllTextAsync(home.Context.Layout.ServerLog, Line + "\n", Token);

        (await Run("logs")).ShouldBe(ExitCode.Ok);
        (await Run("logs", "--json")).ShouldBe(ExitCode.Ok);

        home.Output.ShouldBe($"2025-11-20T18:00:00.000Z Error: It broke (System.IO.IOException: gone)\n{Line}\n");
    }

    [Fact]
    public async Task Up_without_built_programs_says_so_and_starts_nothing()
    {
        (await Run("up", "--detach")).ShouldBe(ExitCode.Prerequisite);

        home.Error.ShouldContain("It was not built.");
        Directory.Exists(home.Context.Layout.PostgresData).ShouldBeFalse();
    }

    [Fact]
    public async Task Down_of_an_empty_home_is_content() => (await Run("down")).ShouldBe(ExitCode.Ok);

    Task<int> Run(params string[] arguments) => CentaurCommand.Run(arguments, home.Context, Token);

    static IEnumerable<string[]> Paths(Command command, string[] path)
    {
        yield return path;
        foreach (var below in command.Subcommands.SelectMany(each => Paths(each, [.. path, each.Name])))
            yield return below;
    }
}
