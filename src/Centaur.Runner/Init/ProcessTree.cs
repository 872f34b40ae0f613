using Centaur.Runner.Native;

namespace Centaur.Runner.Init;

/// <summary>Who descends from whom in the jail, read from <c>/proc</c>.</summary>
internal static class ProcessTree
{
    const int Continue = 18;
    const int Stop = 19;

    /// <summary>
    /// Signals a program, its process group, its session and its descendants: harnesses start their commands in sessions of their own, and killing only the group
    /// would leave those running. An orphan, whose parent is pid 1, is of whoever forked it and went: a daemon of the program, and taken with it.
    /// </summary>
    /// <param name="root">The program.</param>
    /// <param name="spared">Programs that pid 1 itself started besides.</param>
    /// <param name="signal">What everybody gets.</param>
    public static void Signal(int root, IReadOnlySet<int> spared, int signal)
    {
        // Everybody is stopped before anybody is signalled: who still runs may fork, and the child of a dead parent is nobody's descendant.
        var chosen = new HashSet<int> { root };
        _ = Libc.kill(root, Stop);
        while (Grow(chosen, root, spared))
        {
            foreach (var pid in chosen)
                _ = Libc.kill(pid, Stop);
        }

        foreach (var pid in chosen)
            _ = Libc.kill(pid, signal);
        foreach (var pid in chosen)
            _ = Libc.kill(pid, Continue);
    }

    static bool Grow(HashSet<int> chosen, int root, IReadOnlySet<int> spared)
    {
        var all = Read();
        var before = chosen.Count;
        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var process in all)
            {
                var isOrphan = process.Parent == 1 && process.Pid != root && !spared.Contains(process.Pid);
                if (process.Pid != 1 && (process.Session == root || process.Group == root || isOrphan || chosen.Contains(process.Parent)) && chosen.Add(process.Pid))
                    grew = true;
            }
        }

        return chosen.Count > before;
    }

    static List<Entry> Read()
    {
        var entries = new List<Entry>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid))
                continue;
            try
            {
                // The name stands in parentheses and may hold anything: what follows the last one is fields.
                var stat = File.ReadAllText($"{folder}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                entries.Add(new Entry(pid, int.Parse(fields[1]), int.Parse(fields[2]), int.Parse(fields[3])));
            }
            catch (IOException)
            {
                // It ended while we read.
            }
        }

        return entries;
    }

    sealed record Entry(int Pid, int Parent, int Group, int Session);
}
