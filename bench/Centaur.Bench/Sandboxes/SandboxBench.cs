using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Sandboxes;

/// <summary>A local sandbox from nothing to a harness that has read its turn, and what an idle one weighs.</summary>
internal sealed class SandboxBench : IBench
{
    const int Rounds = 15;
    const double ColdGoal = 350;
    const double SpareGoal = 50;
    const double MemoryGoal = 110;
    static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    public string Description => "Local sandbox: cold start, first turn of a spare one, idle memory.";

    public async IAsyncEnumerable<Figure> Run(BenchContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Round(context, cancellationToken);
        var (attached, whole, spare, bare) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            bare.Add(await Bare(cancellationToken));
            var (toAttach, toRead) = await Round(context, cancellationToken);
            attached.Add(toAttach);
            whole.Add(toRead);
            spare.Add(await Spare(context, cancellationToken));
        }

        var yardstick = new Distribution(bare).Median;
        yield return Figure.Told("keeper's start → attached (yardstick: bare bwrap true), median", new Distribution(attached).Median, "ms", Math.Round(yardstick, 3));
        yield return Figure.AtMost("keeper's start → harness has read its turn, median", new Distribution(whole).Median, "ms", ColdGoal, yardstick);
        yield return Figure.AtMost("keeper's start → harness has read its turn, worst", new Distribution(whole).Worst, "ms", ColdGoal, yardstick);
        yield return Figure.AtMost("spare sandbox: policy → harness has read its turn, median", new Distribution(spare).Median, "ms", SpareGoal, yardstick);

        var (proportional, resident) = await Memory(context, cancellationToken);
        yield return Figure.AtMost("idle sandbox without its harness, sum of Pss", proportional, "MiB", MemoryGoal);
        yield return Figure.Told("idle sandbox without its harness, sum of Rss", resident, "MiB");
    }

    static async Task<(double Attached, double Read)> Round(BenchContext context, CancellationToken cancellationToken)
    {
        await using var keeper = new BenchKeeper(context.Dist);
        var begun = Stopwatch.GetTimestamp();
        await keeper.Attach(cancellationToken);
        var attached = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        await keeper.FirstTurn(cancellationToken);
        return (attached, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
    }

    static async Task<double> Spare(BenchContext context, CancellationToken cancellationToken)
    {
        await using var keeper = new BenchKeeper(context.Dist);
        await keeper.Attach(cancellationToken);
        await keeper.Rehearse(cancellationToken);
        var begun = Stopwatch.GetTimestamp();
        await keeper.FirstTurn(cancellationToken);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    static async Task<double> Bare(CancellationToken cancellationToken)
    {
        var bwrap = Programs.Find("bwrap") ?? throw new InvalidOperationException("bwrap is not on this machine.");
        var begun = Stopwatch.GetTimestamp();
        await Programs.Run(
            bwrap,
            ["--unshare-user", "--unshare-all", "--uid", "1000", "--gid", "1000", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
                "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--cap-drop", "ALL", "/bin/true"],
            cancellationToken);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    static async Task<(double Pss, double Rss)> Memory(BenchContext context, CancellationToken cancellationToken)
    {
        await using var keeper = new BenchKeeper(context.Dist);
        await keeper.Attach(cancellationToken);
        await keeper.FirstTurn(cancellationToken);
        await Task.Delay(Idle, cancellationToken);
        var (pss, rss) = (0.0, 0.0);
        foreach (var pid in keeper.Processes())
        {
            var maps = await File.ReadAllLinesAsync($"/proc/{pid}/smaps_rollup", cancellationToken);
            var name = (await File.ReadAllTextAsync($"/proc/{pid}/comm", cancellationToken)).Trim();
            await context.Progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  {name}: Pss {Mebibytes(maps, "Pss:"):0.0} MiB, Rss {Mebibytes(maps, "Rss:"):0.0} MiB"));
            pss += Mebibytes(maps, "Pss:");
            rss += Mebibytes(maps, "Rss:");
        }

        return (pss, rss);
    }

    static double Mebibytes(string[] maps, string key) =>
        double.Parse(maps.First(line => line.StartsWith(key, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
}
