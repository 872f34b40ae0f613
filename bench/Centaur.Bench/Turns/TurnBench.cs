using System.Diagnostics;
using System.Runtime.CompilerServices;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Turns;

/// <summary>Whole turns through every process: API, Postgres, worker, keeper, jailed harness, and back over server-sent events.</summary>
internal sealed class TurnBench : IBench
{
    const int Turns = 100;
    const int Asks = 5;
    const double WarmGoal = 100;
    const double AskGoal = 3000;
    const string Prompt = "Reply with exactly PONG.";

    public string Description => "Whole turns on a warm sandbox, and the second question on the command line.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        BenchModel? model = null;
        await using var home = await BenchHome.Start(context, Prepare, cancellationToken);
        try
        {
            await home.Cli(["secrets", "set", BenchModel.KeyName], cancellationToken, model!.Key);
            var (executed, said) = await Warm(home, "codex", cancellationToken);
            yield return Figure.AtMost("turn, scripted harness, execute → terminal event, p50", executed.Median, "ms", WarmGoal);
            yield return Figure.Told("turn, scripted harness, execute → terminal event, p99", executed.P99, "ms");
            yield return Figure.AtMost("the same with the message's own request, p50", said.Median, "ms", WarmGoal);
            (executed, _) = await Warm(home, "built-in", cancellationToken);
            yield return Figure.AtMost("turn, built-in harness, proxy and model included, p50", executed.Median, "ms", WarmGoal);
            yield return Figure.Told("turn, built-in harness, proxy and model included, p99", executed.P99, "ms");
            var asks = await Ask(home, cancellationToken);
            yield return Figure.AtMost("second `centaur ask` of a machine, worst of new threads", asks.Worst, "ms", AskGoal);
        }
        finally
        {
            if (model is not null)
                await model.DisposeAsync();
        }

        async Task<string> Prepare(BenchHome fresh)
        {
            model = await BenchModel.Start(context, Path.Combine(fresh.Folder, "model"), cancellationToken);
            return model.Configuration;
        }
    }

    static async Task<(Distribution Executed, Distribution Said)> Warm(BenchHome home, string harness, CancellationToken cancellationToken)
    {
        var thread = new BenchThread(home, harness);
        await thread.Spawn(cancellationToken);
        await using var events = await thread.Follow(live: false, cancellationToken);
        var executed = new List<double>();
        var said = new List<double>();
        for (var turn = 0; turn < Turns + 5; turn++)
        {
            var begun = Stopwatch.GetTimestamp();
            await thread.Say(Prompt, cancellationToken);
            var asked = Stopwatch.GetTimestamp();
            var execution = await thread.Execute(cancellationToken);
            await BenchThread.End(events, execution);
            said.Add(Stopwatch.GetElapsedTime(begun, events.Current.Arrived).TotalMilliseconds);
            executed.Add(Stopwatch.GetElapsedTime(asked, events.Current.Arrived).TotalMilliseconds);
        }

        return (new Distribution(executed.Skip(5)), new Distribution(said.Skip(5)));
    }

    /// <summary>Each is the whole program, from its start to its end, on a thread of its own.</summary>
    static async Task<Distribution> Ask(BenchHome home, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var round = 0; round <= Asks; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            var answer = await home.Cli(["ask", Prompt, "--harness", "built-in"], cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            if (answer.Trim() != "PONG")
                throw new InvalidOperationException($"The answer was: {answer}");
        }

        return new Distribution(times.Skip(1));
    }
}
