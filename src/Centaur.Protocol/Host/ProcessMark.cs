using System.Globalization;

namespace Centaur.Protocol.Host;

/// <summary>Names one process for ever: a pid alone is used again, a pid with its start time and boot is not.</summary>
/// <param name="Pid">The process id.</param>
/// <param name="StartTicks">Field 22 of <c>/proc/PID/stat</c>.</param>
/// <param name="BootId">The text of <c>/proc/sys/kernel/random/boot_id</c>.</param>
public sealed record ProcessMark(int Pid, long StartTicks, string BootId)
{
    public const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>The process of this machine that has this pid, or null when none is alive.</summary>
    public static ProcessMark? Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return StateOf(stat) is 'Z' or 'X' ? null : new ProcessMark(pid, StartTicksOf(stat), File.ReadAllText(BootIdFile).Trim());
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True while this very process runs on this machine.</summary>
    public bool IsAlive() => Of(Pid) == this;

    /// <summary>Reads the start ticks from the text of a <c>/proc/PID/stat</c>; the program's name in it may hold spaces and brackets.</summary>
    public static long StartTicksOf(string stat) => long.Parse(Fields(stat)[19], CultureInfo.InvariantCulture);

    /// <summary>The state letter of a <c>/proc/PID/stat</c>: <c>Z</c> and <c>X</c> are dead.</summary>
    public static char StateOf(string stat) => Fields(stat)[0][0];

    static string[] Fields(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
}

/// <summary>What a running server says of itself in <see cref="HostLayout.ServerStateFile"/>.</summary>
/// <param name="Process">The server's process.</param>
/// <param name="Api">Base address of the listener for operators and clients, for example <c>http://127.0.0.1:8000</c>.</param>
/// <param name="Sandboxes">The listener for sandboxes: <c>unix:/path</c>, or an address.</param>
/// <param name="Public">Base address of the listener for webhooks and Slack, or null where it is off.</param>
/// <param name="Version">The server's version.</param>
public sealed record ServerState(ProcessMark Process, string Api, string Sandboxes, string? Public, string Version);

/// <summary>Where a demo model listens; see <see cref="HostLayout.DemoModelFile"/>.</summary>
/// <param name="Process">Its process.</param>
/// <param name="BaseUrl">For example <c>http://127.0.0.1:41231</c>; its APIs begin at <c>/v1</c>.</param>
public sealed record DemoModelState(ProcessMark Process, string BaseUrl);
