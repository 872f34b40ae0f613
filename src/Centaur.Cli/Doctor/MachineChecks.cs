using System.Globalization;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Doctor;

/// <summary>What the kernel and this user's rights allow.</summary>
internal static class MachineChecks
{
    const long LeastDisk = 2L << 30;
    const long LeastMemory = 2L << 30;
    const string Version2 = "/sys/fs/cgroup/cgroup.controllers";
    static readonly string[] Controllers = ["memory", "pids", "cpu"];

    public static IReadOnlyList<Check> Run(CliContext context) => [User(context), Limits(context), LoopMounts(context), Memory(), .. Disk(context)];

    static Check User(CliContext context) =>
        context.IsRoot
            ? Check.Ok("user", "root", "Every sandbox, the broker and Postgres run under uids of their own.")
            : Check.Weak(
                "user", $"uid {context.Uid.ToString(CultureInfo.InvariantCulture)}", "Sandboxes and the broker share your uid: the boundary around credentials is the process, not the user.",
                "Run as root on a machine that others use.");

    static Check Limits(CliContext context)
    {
        if (File.Exists(Version2))
        {
            var have = File.ReadAllText(Version2).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            var lacking = Controllers.Except(have).ToList();
            if (lacking.Count > 0)
                return Check.Weak("limits", $"cgroup v2 without {string.Join(", ", lacking)}", "Sandboxes run without these limits.", "Enable the controllers in the parent's cgroup.subtree_control.");
            return context.IsRoot
                ? Check.Ok("limits", "cgroup v2: memory, processes, CPU")
                : Check.Weak("limits", "cgroup v2", "Limits hold where your system delegates a cgroup to you.", "systemctl edit user@.service: Delegate=cpu memory pids");
        }

        var missing = Controllers.Where(controller => !Directory.Exists($"/sys/fs/cgroup/{controller}")).ToList();
        if (missing.Count == Controllers.Length)
            return Check.Weak("limits", "no cgroups", "A sandbox can use up the machine's memory and processes.", "Mount cgroup2 on /sys/fs/cgroup.");
        if (!context.IsRoot)
            return Check.Weak("limits", "cgroup v1", "An ordinary user cannot set limits here.", "Run as root.");
        return missing.Count == 0
            ? Check.Ok("limits", "cgroup v1: memory, processes, CPU")
            : Check.Weak("limits", $"cgroup v1 without {string.Join(", ", missing)}", "Sandboxes run without these limits.");
    }

    static Check LoopMounts(CliContext context)
    {
        if (!context.IsRoot)
            return Check.Weak("workspace size", "shared", "Only root can mount an image for each workspace; a sandbox can fill this user's disk.", "Run as root.");
        return File.Exists("/dev/loop-control")
            ? Check.Ok("workspace size", "an image each, through a loop device")
            : Check.Weak("workspace size", "no loop devices", "A sandbox can fill the disk.", "modprobe loop");
    }

    static Check Memory()
    {
        var line = File.ReadLines("/proc/meminfo").First(text => text.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var available = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        return available >= LeastMemory
            ? Check.Ok("memory", $"{Size(available)} available")
            : Check.Weak("memory", $"{Size(available)} available", "An agent and its tools want a gigabyte each.");
    }

    static IEnumerable<Check> Disk(CliContext context)
    {
        var home = Nearest(context.Layout.Home);
        var free = new DriveInfo(home).AvailableFreeSpace;
        yield return free >= LeastDisk
            ? Check.Ok("disk", $"{Size(free)} free for {context.Layout.Home}")
            : Check.Bad("disk", $"{Size(free)} free for {context.Layout.Home}", "Harness CLIs and workspaces need more.", "Free some space, or set CENTAUR_HOME to another disk.");
    }

    static string Nearest(string path)
    {
        while (!Directory.Exists(path))
            path = Path.GetDirectoryName(path)!;
        return Native.RealPath(path);
    }

    static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB");
}
