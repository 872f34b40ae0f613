using System.Globalization;
using Centaur.Runner.Native;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>
/// A lower limit of processes for what a command starts than for this harness. The kernel counts both together but asks whoever forks for its own limit
/// (setrlimit(2), RLIMIT_NPROC): a command that took all would leave the harness no thread to tell it with.
/// </summary>
internal static class OwnLimit
{
    const ulong Reserve = 32;
    const ulong LeastShared = 2 * Reserve;

    /// <summary>A line for bash that sets the limit, or nothing where there is none to share.</summary>
    public static unsafe string Words()
    {
        ResourceLimit limit;
        return Libc.getrlimit(Libc.LimitProcesses, &limit) == 0 && limit.Soft is >= LeastShared and <= int.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $"ulimit -u {limit.Soft - Reserve}\n")
            : "";
    }
}
