using Centaur.Cli.Processes;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>The keepers of this home's sandboxes. They are nobody's children, so they are found by what they were told to keep.</summary>
internal sealed class SandboxProcesses(CliContext context)
{
    readonly HostLayout layout = context.Layout;

    public IReadOnlyList<ProcessMark> Running() =>
        [.. ProcessTable.Pids().Where(IsOurKeeper).Select(ProcessMark.Of).OfType<ProcessMark>()];

    /// <summary>Ends every keeper, and with it its jail and proxy. The threads' folders stay.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> Stop(CancellationToken cancellationToken)
    {
        var keepers = Running();
        if (keepers.Count == 0)
            return 0;
        context.Terminal.Note($"Ending {keepers.Count} {(keepers.Count == 1 ? "sandbox" : "sandboxes")} …");
        await Task.WhenAll(keepers.Select(keeper => ProcessTable.Stop(keeper, Native.SigTerm, TimeSpan.FromSeconds(15), cancellationToken)));
        await UnmountWhatIsLeft(cancellationToken);
        return keepers.Count;
    }

    bool IsOurKeeper(int pid)
    {
        if (Path.GetFileName(ProcessTable.ProgramOf(pid)) is not "centaur-runner")
            return false;
        var arguments = ProcessTable.ArgumentsOf(pid);
        return arguments.Contains("keep") && arguments.Any(argument =>
            argument.StartsWith(layout.SandboxesFolder + "/", StringComparison.Ordinal) || argument.StartsWith(layout.SandboxesRuntime + "/", StringComparison.Ordinal));
    }

    /// <summary>A keeper that was killed could not unmount its home image.</summary>
    async Task UnmountWhatIsLeft(CancellationToken cancellationToken)
    {
        if (!context.IsRoot)
            return;
        var mounts = (await File.ReadAllLinesAsync("/proc/self/mountinfo", cancellationToken))
            .Select(line => line.Split(' ')[4])
            .Where(place => place.StartsWith(Native.RealPath(layout.Home) + "/", StringComparison.Ordinal));
        foreach (var mount in mounts.Reverse().ToList())
            await ProcessRun.Of(new ProcessCommand("umount", mount), cancellationToken);
    }
}
