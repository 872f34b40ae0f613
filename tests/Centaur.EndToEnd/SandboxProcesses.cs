using System.Globalization;
using System.Runtime.InteropServices;
using Npgsql;

namespace Centaur.EndToEnd;

/// <summary>The processes of one thread's sandbox, as the host's /proc shows them.</summary>
internal static partial class SandboxProcesses
{
    const int SigKill = 9;
    const int SigTerm = 15;
    const int SigStop = 19;
    const int SigCont = 18;

    public static int Keeper(Installation installation, string threadKey) => KeeperOf(installation, SandboxId(installation, threadKey));

    /// <summary>Ids of the sandboxes of this installation that have a keeper.</summary>
    public static IReadOnlyList<string> Keepers(Installation installation) =>
        [.. All().Where(p => p.CommandLine is [_, "keep", "--spec", var file, ..] && file.StartsWith(installation.Layout.SandboxesFolder + "/", StringComparison.Ordinal))
            .Select(p => Path.GetFileName(Path.GetDirectoryName(p.CommandLine[3]))!)];

    public static int KeeperOf(Installation installation, string sandboxId)
    {
        var spec = Path.Combine(installation.Layout.SandboxesFolder, sandboxId, "spec.json");
        return All().Single(p => p.CommandLine is [_, "keep", "--spec", var file, ..] && file == spec).Pid;
    }

    /// <summary>Whether the thread's keeper can be attached to.</summary>
    public static bool IsUp(Installation installation, string threadKey) =>
        File.Exists(Path.Combine(installation.Layout.SandboxesRuntime, SandboxId(installation, threadKey), "attach.sock"));

    public static int Proxy(Installation installation, string threadKey) =>
        Below(Keeper(installation, threadKey)).Single(p => p.CommandLine is [var program, "sandbox", ..] && program.EndsWith("centaur-proxy", StringComparison.Ordinal)).Pid;

    public static int Init(Installation installation, string threadKey) =>
        Below(Keeper(installation, threadKey)).Single(p => p.CommandLine is [var program, "init", ..] && program.EndsWith("centaur-runner", StringComparison.Ordinal)).Pid;

    public static int Harness(Installation installation, string threadKey) =>
        Below(Keeper(installation, threadKey)).Where(p => p.CommandLine is [_, "agent", ..] or [_, "app-server", ..]).Select(p => p.Pid).Min();

    /// <summary>Every process in the jail of the thread.</summary>
    public static IReadOnlyList<int> Jail(Installation installation, string threadKey)
    {
        var init = Init(installation, threadKey);
        return [init, .. Below(init).Select(p => p.Pid)];
    }

    public static void Kill(int pid) => Signal(pid, SigKill);

    public static void Terminate(int pid) => Signal(pid, SigTerm);

    public static void Pause(int pid) => Signal(pid, SigStop);

    public static void Continue(int pid) => Signal(pid, SigCont);

    static void Signal(int pid, int signal)
    {
        if (kill(pid, signal) != 0)
            throw new InvalidOperationException($"Process {pid} could not be signalled: error {Marshal.GetLastPInvokeError()}.");
    }

    public static string SandboxId(Installation installation, string threadKey)
    {
        using var source = NpgsqlDataSource.Create(installation.Layout.EmbeddedDatabaseUrl);
        using var command = source.CreateCommand("select sandbox_id from sandboxes where thread_key = $1 and state in ('starting', 'claimed')");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = threadKey });
        return (string?)command.ExecuteScalar() ?? throw new InvalidOperationException($"Thread {threadKey} has no live sandbox.");
    }

    static IEnumerable<Entry> Below(int pid)
    {
        var all = All();
        var found = new HashSet<int> { pid };
        for (var grown = true; grown;)
            grown = all.Where(p => found.Contains(p.Parent)).Select(p => found.Add(p.Pid)).ToList().Contains(true);
        found.Remove(pid);
        return all.Where(p => found.Contains(p.Pid));
    }

    static List<Entry> All() =>
        Directory.EnumerateDirectories("/proc").Select(d => Path.GetFileName(d)!).Where(n => n.All(char.IsAsciiDigit))
            .Select(n => Read(int.Parse(n, CultureInfo.InvariantCulture))).OfType<Entry>().ToList();

    static Entry? Read(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var parent = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            return new Entry(pid, parent, File.ReadAllText($"/proc/{pid}/cmdline").TrimEnd('\0').Split('\0'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // It ended while we looked.
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    sealed record Entry(int Pid, int Parent, string[] CommandLine);
}
