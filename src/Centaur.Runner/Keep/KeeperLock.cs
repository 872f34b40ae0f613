using System.Runtime.InteropServices;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep;

/// <summary>The right to keep a sandbox: a lock on a file, which ends with the process that holds it. Nothing that the keeper starts inherits it.</summary>
internal sealed class KeeperLock : IDisposable
{
    const int WorkingFolder = -100;
    const int WriteOrCreate = 1 | 0x40 | Libc.CloseOnExec;
    const int Exclusive = 2;
    const int WithoutWaiting = 4;

    readonly int file;

    KeeperLock(int file) => this.file = file;

    /// <returns>Null where another keeper has it.</returns>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static KeeperLock? Take(string path)
    {
        // Not by FileStream: the runtime takes a lock of its own there and reports a held one as an error like any other.
        var opened = Libc.Check(Libc.openat(WorkingFolder, path, WriteOrCreate, 0x180), $"Open {path}");
        if (Libc.flock(opened, Exclusive | WithoutWaiting) == 0)
            return new KeeperLock(opened);
        var error = Marshal.GetLastPInvokeError();
        var reason = Libc.Reason();
        Libc.close(opened);
        return error == Libc.Again ? null : throw new IOException($"Lock {path}: {reason}");
    }

    public void Dispose() => Libc.close(file);
}
