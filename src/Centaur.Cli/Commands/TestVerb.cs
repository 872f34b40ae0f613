using System.CommandLine;
using Centaur.Cli.Testing;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur test</c>: builds the solution once, runs every test program of it, and ends with one line that says how it went.</summary>
internal static class TestVerb
{
    public static Verb Build(CliContext context)
    {
        var words = new Argument<string[]>("what")
        {
            Description = "unit: the fast loop. nightly: the long ones too. Anything else: what contains that name.", Arity = ArgumentArity.ZeroOrMore,
        };
        var list = new Option<bool>("--list") { Description = "Print the names instead of running them." };
        return new Verb("test", "Run the tests.", "centaur test", "centaur test unit", "centaur test F33 crash_walk", "centaur test --list Postgres")
        {
            Remark = "With CI set, packages are restored in locked mode and a test that is skipped for a missing prerequisite fails.",
        }.With(words, list).Does((parsed, cancellationToken) => Run(context, TestSelection.Of(parsed.GetValue(words) ?? []), parsed.GetValue(list), cancellationToken));
    }

    static async Task<int> Run(CliContext context, TestSelection selection, bool list, CancellationToken cancellationToken)
    {
        var tree = SourceTree.Of(context);
        await tree.Build(context, tree.Solution, "the tests", cancellationToken);
        var programs = TestProject.All(tree).Where(selection.Includes).Select(project => new TestProgram(context, tree, project)).ToList();
        return list ? await List(context, programs, selection, cancellationToken) : await Run(context, programs, selection, cancellationToken);
    }

    static async Task<int> List(CliContext context, List<TestProgram> programs, TestSelection selection, CancellationToken cancellationToken)
    {
        foreach (var program in programs)
        {
            foreach (var name in await program.List(selection, cancellationToken))
                context.Terminal.Out.WriteLine(name);
        }

        return ExitCode.Ok;
    }

    static async Task<int> Run(CliContext context, List<TestProgram> programs, TestSelection selection, CancellationToken cancellationToken)
    {
        var tally = new TestTally();
        foreach (var program in programs)
            await program.Run(selection, tally, cancellationToken);

        foreach (var failed in tally.Failed)
        {
            context.Terminal.Error.WriteLine($"\nFAILED {failed.Name}");
            foreach (var line in failed.Message.Split('\n'))
                context.Terminal.Error.WriteLine($"    {line.TrimEnd()}");
        }

        if (tally.Total == 0)
            throw new CliError(ExitCode.Usage, $"No test contains {string.Join(" or ", selection.Names)}.", remedy: "centaur test --list prints the names.");
        context.Terminal.Out.WriteLine(tally.Summary);
        return tally.Failed.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }
}
