using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>Ends all processes of a group, also one that its leader has not made yet.</summary>
internal static partial class ProcessGroup
{
    const int KillSignal = 9;

    /// <summary>Ends the group and waits for its leader.</summary>
    /// <param name="leader">A process that leads its own group, or is about to.</param>
    public static async Task Kill(Process leader)
    {
        var group = -leader.Id;
        if (SendSignal(group, KillSignal) == 0)
        {
            await leader.WaitForExitAsync(CancellationToken.None);
            return;
        }

        // There is no group of that name yet, or any more. Between the two signals it may have come to be, with children.
        _ = SendSignal(leader.Id, KillSignal);
        await leader.WaitForExitAsync(CancellationToken.None);
        _ = SendSignal(group, KillSignal);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
