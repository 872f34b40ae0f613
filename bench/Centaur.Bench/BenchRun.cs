using System.Text.Json;

namespace Centaur.Bench;

/// <summary>Runs the benchmarks that were asked for and prints a line a figure.</summary>
internal static class BenchRun
{
    const int Ok = 0;
    const int FellShort = 1;
    const int Usage = 2;

    public static async Task<int> Of(
        IReadOnlyDictionary<string, IBench> benches, IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var json = arguments.Contains("--json");
        var gate = arguments.Contains("--gate");
        var dist = arguments.SkipWhile(argument => argument != "--dist").Skip(1).FirstOrDefault();
        var names = arguments.Where((argument, i) => !argument.StartsWith("--", StringComparison.Ordinal) && (i == 0 || arguments[i - 1] != "--dist")).ToList();
        if (names.Find(name => !benches.ContainsKey(name)) is { } unknown)
            await error.WriteLineAsync($"There is no benchmark {unknown}. There are:");
        if (arguments.Contains("--list") || dist is null || names.Exists(name => !benches.ContainsKey(name)))
        {
            var where = arguments.Contains("--list") ? output : error;
            foreach (var (name, bench) in benches)
                await where.WriteLineAsync($"{name,-12} {bench.Description}");
            return arguments.Contains("--list") ? Ok : Usage;
        }

        var fellShort = 0;
        foreach (var (name, bench) in benches.Where(bench => names.Count == 0 || names.Contains(bench.Key)))
        {
            await error.WriteLineAsync($"{name}: {bench.Description}");
            await foreach (var figure in bench.Run(new BenchContext(dist, error), cancellationToken))
            {
                fellShort += figure.Holds ? 0 : 1;
                await output.WriteLineAsync(json ? JsonSerializer.Serialize(figure, FigureJson.Default.Figure) : figure.ToString());
            }
        }

        return gate && fellShort > 0 ? FellShort : Ok;
    }
}
