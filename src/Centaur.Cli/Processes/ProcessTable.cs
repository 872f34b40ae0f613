using System.Globalization;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Processes;

/// <summary>What <c>/proc</c> says about processes that are not our children.</summary>
internal static class ProcessTable
{
    /// <summary>The program file of a process, or null when it is not ours to see. A program that was replaced since keeps its path.</summary>
    public static string? ProgramOf(int pid) => LinkOf(pid, "exe") is { } path ? path.Replace(" (deleted)", "", StringComparison.Ordinal) : null;

    /// <summary>The working folder of a process.</summary>
    public static string? FolderOf(int pid) => LinkOf(pid, "cwd");

    /// <summary>The argument list of a process; empty when it is not ours to see.</summary>
    public static IReadOnlyList<string> ArgumentsOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0).Where(pid => pid > 0);

    public static bool Signal(ProcessMark mark, int signal) => Native.Signal(mark.Pid, signal, mark.IsAlive);

    /// <summary>Waits until the process is gone; false when it is still there after the limit.</summary>
    public static async Task<bool> WaitForEnd(ProcessMark mark, TimeSpan limit, CancellationToken cancellationToken)
    {
        var deadline = limit == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (mark.IsAlive())
        {
            if (Environment.TickCount64 > deadline)
                return false;
            await Task.Delay(20, cancellationToken);
        }

        return true;
    }

    /// <summary>Asks the process to end, and ends it when it does not.</summary>
    /// <returns>False when it had to be killed.</returns>
    public static async Task<bool> Stop(ProcessMark mark, int signal, TimeSpan grace, CancellationToken cancellationToken)
    {
        Signal(mark, signal);
        if (await WaitForEnd(mark, grace, cancellationToken))
            return true;
        Signal(mark, Native.SigKill);
        await WaitForEnd(mark, TimeSpan.FromSeconds(10), cancellationToken);
        return false;
    }

    static string? LinkOf(int pid, string name)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{pid}/{name}", returnFinalTarget: false)?.FullName;
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
