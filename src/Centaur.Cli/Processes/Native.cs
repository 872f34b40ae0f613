using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Cli.Processes;

/// <summary>The few calls of the operating system that .NET has no name for.</summary>
internal static partial class Native
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    const int OpenReadWriteCreateCloseOnExec = 0x2 | 0x40 | 0x80000;
    const int LockExclusive = 2;
    const int LockNonBlocking = 4;

    // The same numbers on every architecture that .NET runs on; older C libraries have no wrappers.
    const long PidfdSendSignal = 424;
    const long PidfdOpen = 434;
    const long CloseRange = 436;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUid();

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint uid, uint gid);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FileLock(SafeHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, nint third, long fourth);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ResolvePath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);

    /// <summary>The path without links, as the kernel reports it; the path itself when there is no such file.</summary>
    public static string RealPath(string path)
    {
        var resolved = ResolvePath(path, 0);
        if (resolved == 0)
            return path;
        try
        {
            return Marshal.PtrToStringUTF8(resolved)!;
        }
        finally
        {
            Free(resolved);
        }
    }

    public static void SetOwner(string path, uint uid, uint gid)
    {
        if (ChangeOwner(path, uid, gid) != 0)
            throw new IOException($"Cannot give {path} to uid {uid}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Opens a file to lock it. .NET's own way of opening takes a shared lock of the same kind, and fails where another process holds this one.</summary>
    public static SafeFileHandle OpenLockFile(string path)
    {
        const int ownersOnly = 0x180;
        var descriptor = Open(path, OpenReadWriteCreateCloseOnExec, ownersOnly);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException($"Cannot open {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public static bool TryLock(SafeHandle file) => FileLock(file, LockExclusive | LockNonBlocking) == 0;

    /// <summary>Waits until nobody else holds the lock. The kernel lets go of it when its holder dies, however that happens.</summary>
    public static void Lock(SafeHandle file)
    {
        while (FileLock(file, LockExclusive) != 0)
        {
            const int interrupted = 4;
            if (Marshal.GetLastPInvokeError() != interrupted)
                throw new IOException($"Cannot lock: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>
    /// From here on no program that we start inherits anything but its standard streams: a descriptor that the caller's shell left open, a lock for instance,
    /// would else live on in a program that outlives us. A kernel before 5.11 cannot, and nothing changes there.
    /// </summary>
    public static void KeepDescriptorsToOurselves()
    {
        const long firstAfterStandardStreams = 3;
        const long closeOnExec = 4;
        _ = SystemCall(CloseRange, firstAfterStandardStreams, uint.MaxValue, (nint)closeOnExec, 0);
    }

    /// <summary>Signals the process that has this pid now, but only after <paramref name="isTheOne"/> has looked at it: between the look and the signal the pid cannot change hands.</summary>
    public static bool Signal(int pid, int signal, Func<bool> isTheOne)
    {
        var descriptor = (int)SystemCall(PidfdOpen, pid, 0, 0, 0);
        if (descriptor < 0)
            return false;
        try
        {
            return isTheOne() && SystemCall(PidfdSendSignal, descriptor, signal, 0, 0) == 0;
        }
        finally
        {
            _ = Close(descriptor);
        }
    }
}
