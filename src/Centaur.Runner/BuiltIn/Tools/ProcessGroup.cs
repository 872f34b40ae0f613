using System.Runtime.InteropServices;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Ends all processes of a group.</summary>
internal static partial class ProcessGroup
{
    const int KillSignal = 9;

    /// <param name="leader">A process that leads its own group.</param>
    public static void Kill(int leader)
    {
        // Fails only where the group is gone already, which is what was wanted.
        _ = SendSignal(-leader, KillSignal);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
