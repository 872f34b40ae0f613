using System.CommandLine;
using System.Diagnostics;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur bench</c>: builds the benchmarks and hands over to them.</summary>
internal static class BenchVerb
{
    const string Project = "Centaur.Bench";

    public static Verb Build(CliContext context)
    {
        var names = new Argument<string[]>("name") { Description = "Which ones; all where none is named.", Arity = ArgumentArity.ZeroOrMore };
        var json = Shared.Json("Print a JSON object for each figure: name, value, unit, yardstick, ratio, goal, holds.");
        var gate = new Option<bool>("--gate") { Description = "End with 1 where a figure falls short of its goal." };
        var list = new Option<bool>("--list") { Description = "Print the names instead of running them." };
        return new Verb("bench", "Measure, each figure beside its yardstick.", "centaur bench startup", "centaur bench --json --gate")
            .With(names, json, gate, list)
            .Does(async (parsed, cancellationToken) =>
            {
                List<string> arguments = [.. parsed.GetValue(names) ?? [], "--dist", context.Programs.Dist];
                foreach (var (option, isSet) in new[] { ("--json", parsed.GetValue(json)), ("--gate", parsed.GetValue(gate)), ("--list", parsed.GetValue(list)) })
                {
                    if (isSet)
                        arguments.Add(option);
                }

                var tree = SourceTree.Of(context);
                await tree.Build(context, Path.Combine(tree.Root, "bench", Project), "the benchmarks", cancellationToken);
                return await Run(tree.ProgramOf(Project), arguments, cancellationToken);
            });
    }

    /// <summary>Its output is ours: it inherits the streams.</summary>
    static async Task<int> Run(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using var bench = Process.Start(new ProcessStartInfo(ProgramPaths.Built(program), arguments) { UseShellExecute = false })!;
        try
        {
            await bench.WaitForExitAsync(cancellationToken);
            return bench.ExitCode;
        }
        catch (OperationCanceledException)
        {
            bench.Kill(entireProcessTree: true);
            throw;
        }
    }
}
