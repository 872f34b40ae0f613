using System.Globalization;

namespace Centaur.DemoModel.Hosting;

/// <summary>Ends this program when another process has ended. Its start time tells it from a later process with the same id.</summary>
internal static class ParentWatch
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns once the process <paramref name="pid"/> has ended, also when nobody has collected it yet.</summary>
    public static async Task Ended(int pid, TimeProvider clock, CancellationToken stoppingToken)
    {
        var born = StartTime(pid);
        using var timer = new PeriodicTimer(Interval, clock);
        while (born is not null && StartTime(pid) == born)
            await timer.WaitForNextTickAsync(stoppingToken);
    }

    /// <summary>Field 22 of <c>/proc/PID/stat</c>; null for a process that is gone or a zombie.</summary>
    static string? StartTime(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
