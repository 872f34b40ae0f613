using System.Runtime.InteropServices;

namespace Centaur.Runner.Native;

/// <summary>The calls of the C library that .NET has no face for. 64-bit Linux only.</summary>
internal static unsafe partial class Libc
{
    public const int Interrupted = 4;
    public const int NoChild = 10;
    public const int Again = 11;
    public const int Exists = 17;

    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <summary>RLIMIT_NPROC: processes and threads of one user (getrlimit(2)).</summary>
    public const int LimitProcesses = 6;

    public const int AfUnix = 1;
    public const int AfInet = 2;
    public const int SockStream = 1;
    public const int SockSeqpacket = 5;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* pair, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int flock(int descriptor, int operation);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socketpair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(int descriptor, void* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int listen(int descriptor, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int accept4(int descriptor, void* address, uint* length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int connect(int descriptor, void* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(int descriptor, int how);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(int descriptor, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(int descriptor, void* buffer, nuint count, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(int descriptor, void* buffer, nuint count, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int descriptor, EpollEvent* change);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(int epoll, EpollEvent* events, int count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int kind, int id, void* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc")]
    public static partial uint umask(uint mask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prctl(int option, nuint value, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getrlimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setrlimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int openat(int folder, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdirat(int folder, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat(int from, string path, int to, string target);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlinkat(int folder, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int lchown(string path, uint owner, uint group);

    [LibraryImport("libc")]
    public static partial uint geteuid();

    /// <summary>The last error as a sentence.</summary>
    public static string Reason() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    /// <summary>Returns what a call returned, or throws what went wrong.</summary>
    public static int Check(int result, string what) => result >= 0 ? result : throw new IOException($"{what}: {Reason()}");
}

[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EpollEvent
{
    public uint Events;
    public long Data;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ResourceLimit
{
    public ulong Soft;
    public ulong Hard;
}
