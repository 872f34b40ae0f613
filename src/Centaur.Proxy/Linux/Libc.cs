using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Linux;

/// <summary>The few calls of the kernel that .NET does not offer.</summary>
static partial class Libc
{
    const int SetDumpable = 4;
    const int AddSeals = 1033;
    const int SealSeal = 1;
    const int SealShrink = 2;
    const int SealGrow = 4;
    const int SealWrite = 8;

    /// <summary>No core file, and no ptrace or /proc/…/mem by the same user: values and keys stay in this process.</summary>
    public static void ForbidDumps() => Check(prctl(SetDumpable, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)");

    /// <summary>Nobody who holds the memfd can change it from now on.</summary>
    public static void Seal(SafeFileHandle memfd) => Check(fcntl((int)memfd.DangerousGetHandle(), AddSeals, SealWrite | SealGrow | SealShrink | SealSeal), "fcntl(F_ADD_SEALS)");

    public static uint UserId() => geteuid();

    /// <summary>Gives up root for good: groups first, while that is still allowed. The C library does it for every thread.</summary>
    public static unsafe void BecomeUser(uint uid)
    {
        Check(setgroups(0, null), "setgroups");
        Check(setresgid(uid, uid, uid), "setresgid");
        Check(setresuid(uid, uid, uid), "setresuid");
    }

    static void Check(int result, string call)
    {
        if (result < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call} failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int setgroups(nuint count, uint* groups);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresgid(uint real, uint effective, uint saved);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setresuid(uint real, uint effective, uint saved);
}
