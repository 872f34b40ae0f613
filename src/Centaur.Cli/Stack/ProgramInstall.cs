using System.Globalization;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Stack;

/// <summary>
/// Where the programs are started from. As root, keepers run proxies and jails under uids of their own, and those cannot enter a clone in <c>/root</c>;
/// such a build is copied into the home, once, under its own name.
/// </summary>
internal static class ProgramInstall
{
    const UnixFileMode Everybody = UnixFileMode.OtherExecute;

    /// <summary>The place, whether or not it is filled yet.</summary>
    public static ProgramPaths Place(CliContext context)
    {
        var built = Native.RealPath(context.Programs.Dist);
        return !context.IsRoot || !Directory.Exists(built) || EverybodyReaches(Path.Combine(built, "runner", "centaur-runner"))
            ? new ProgramPaths(built)
            : new ProgramPaths(Path.Combine(Folder(context), NameOf(built)));
    }

    /// <summary>Fills the place where it is not the build itself. Builds that no process runs from any more are removed.</summary>
    public static async Task Fill(CliContext context, CancellationToken cancellationToken)
    {
        var place = Place(context).Dist;
        var built = Native.RealPath(context.Programs.Dist);
        if (place == built || Directory.Exists(place))
            return;

        Directory.CreateDirectory(Folder(context));
        File.SetUnixFileMode(Folder(context), File.GetUnixFileMode(context.Layout.Home));
        var fresh = place + ".new";
        if (Directory.Exists(fresh))
            Directory.Delete(fresh, recursive: true);
        await MustSucceed(new ProcessCommand("cp", "-R", built, fresh), cancellationToken);
        await MustSucceed(new ProcessCommand("chmod", "-R", "a+rX,go-w", fresh), cancellationToken);
        Directory.Move(fresh, place);
        RemoveUnused(context, place);
    }

    static string Folder(CliContext context) => Path.Combine(context.Layout.Home, "programs");

    /// <summary>The entry script names builds by their content; one that was published by hand is told by its time.</summary>
    static string NameOf(string built)
    {
        var name = Path.GetFileName(built);
        var runner = Path.Combine(built, "runner", "centaur-runner");
        return name.StartsWith("dist-", StringComparison.Ordinal) || !File.Exists(runner)
            ? name
            : string.Create(CultureInfo.InvariantCulture, $"{name}-{File.GetLastWriteTimeUtc(runner).Ticks:x}");
    }

    static bool EverybodyReaches(string path)
    {
        for (var place = path; place is not null; place = Path.GetDirectoryName(place))
        {
            if (!Path.Exists(place) || !File.GetUnixFileMode(place).HasFlag(Everybody))
                return false;
        }

        return true;
    }

    static void RemoveUnused(CliContext context, string place)
    {
        var used = ProcessTable.Pids().Select(ProcessTable.ProgramOf).OfType<string>().ToList();
        foreach (var folder in Directory.EnumerateDirectories(Folder(context)).Where(folder => folder != place))
        {
            if (!used.Exists(program => program.StartsWith(folder + "/", StringComparison.Ordinal)))
                Directory.Delete(folder, recursive: true);
        }
    }

    static async Task MustSucceed(ProcessCommand command, CancellationToken cancellationToken)
    {
        var run = await ProcessRun.Of(command, cancellationToken);
        if (!run.Succeeded)
            throw new CliError(ExitCode.Prerequisite, "The programs cannot be copied into the home.", remedy: "See that it has 100 MB of free space.") { Evidence = run.Tail() };
    }
}
