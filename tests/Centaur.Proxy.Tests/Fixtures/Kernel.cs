using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>What a keeper does with descriptors before it starts its proxy.</summary>
static partial class Kernel
{
    const int DuplicateDescriptor = 0;
    const int AllowSealing = 2;

    public static SafeFileHandle MakeMemfd(string name)
    {
        var descriptor = memfd_create(name, AllowSealing | 1);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>A copy that a started process inherits, with a number of at least 100.</summary>
    public static SafeFileHandle Inheritable(SafeHandle handle)
    {
        var copy = fcntl((int)handle.DangerousGetHandle(), DuplicateDescriptor, 100);
        return copy >= 0 ? new SafeFileHandle(copy, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600: as a keeper opens the audit file.</summary>
    public static int OpenAppending(string path)
    {
        var descriptor = open(path, 2 | 0x400 | 0x40 | 0x80000, 0x180);
        return descriptor >= 0 ? descriptor : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    public static void Kill(int process, int signal)
    {
        if (kill(process, signal) < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>Puts a name in another's place at once, a link to a folder too, for which .NET has no call.</summary>
    public static void Rename(string from, string to)
    {
        if (rename(from, to) < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int rename(string from, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
