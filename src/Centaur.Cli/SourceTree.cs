using Centaur.Cli.Processes;

namespace Centaur.Cli;

/// <summary>The clone that these programs were built from; <c>test</c> and <c>bench</c> build more of it.</summary>
/// <param name="Root">Its top folder.</param>
internal sealed record SourceTree(string Root)
{
    static readonly TimeSpan[] FeedPauses = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10)];

    public string Solution => Path.Combine(Root, "Centaur.slnx");

    string BuildLock => Path.Combine(Root, "artifacts", "build.lock");

    public static SourceTree Of(CliContext context)
    {
        for (var folder = context.Programs.Dist; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Centaur.slnx")))
                return new SourceTree(folder);
        }

        throw new CliError(ExitCode.Prerequisite, "This is not a clone of Centaur.", "Tests and benchmarks are built from the source.", "Run ./centaur in a clone.");
    }

    /// <summary>The built program of a project.</summary>
    public string ProgramOf(string project)
    {
        var bin = Path.Combine(Root, "artifacts", "bin", project);
        var exact = Path.Combine(bin, "release_linux-x64", project);
        return File.Exists(exact) ? exact : Path.Combine(bin, "release", project);
    }

    /// <summary>Builds a project or solution; one build at a time in this clone, and again where the package feed did not answer.</summary>
    public async Task Build(CliContext context, string target, string what, CancellationToken cancellationToken)
    {
        using var file = Native.OpenLockFile(BuildLock);
        if (!Native.TryLock(file))
        {
            context.Terminal.Note("Another build is running; waiting for it …");
            await Task.Factory.StartNew(() => Native.Lock(file), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(cancellationToken);
        }

        context.Terminal.Note($"Building {what} …");
        var begun = context.Time.GetTimestamp();
        var log = Path.Combine(Root, "artifacts", "build-tests.log");
        for (var attempt = 0; ; attempt++)
        {
            var run = await ProcessRun.Of(Command(context, target), cancellationToken);
            await File.WriteAllTextAsync(log, run.Output + run.Error, cancellationToken);
            if (run.Succeeded)
                break;
            if (attempt == FeedPauses.Length || !run.Output.Contains("NU1301", StringComparison.Ordinal))
                throw Failed(what, log, run);
            context.Terminal.Note("The package feed did not answer; trying again …");
            await Task.Delay(FeedPauses[attempt], context.Time, cancellationToken);
        }

        context.Terminal.Note($"Built in {context.Time.GetElapsedTime(begun).TotalSeconds:0} s.");
    }

    ProcessCommand Command(CliContext context, string target)
    {
        List<string> arguments = ["build", target, "-c", "Release", "-nologo", "-v", "quiet", "-p:UseSharedCompilation=false"];
        if (context.Variable("CI") is not null)
            arguments.Add("-p:RestoreLockedMode=true");
        return new ProcessCommand("dotnet", arguments)
        {
            Folder = Root,
            Environment = new Dictionary<string, string>(context.Variables, StringComparer.Ordinal) { ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
    }

    static CliError Failed(string what, string log, ProcessRun run) =>
        new(ExitCode.Failed, $"{what} cannot be built.", remedy: $"The whole log is {log}.")
        {
            Evidence = [.. run.Output.Split('\n').Where(line => line.Contains(": error ", StringComparison.Ordinal)).Select(line => line.Split(" [")[0].Trim()).Distinct().Take(20)],
        };
}
