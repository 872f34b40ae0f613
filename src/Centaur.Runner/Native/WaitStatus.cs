namespace Centaur.Runner.Native;

/// <summary>How a process ended, read from its wait status.</summary>
internal readonly record struct WaitStatus(int Raw)
{
    /// <summary>The signal that killed it, or null.</summary>
    public int? Signal => (Raw & 0x7f) is var signal and not 0 ? signal : null;

    /// <summary>The code that it exited with, or null where a signal killed it.</summary>
    public int? ExitCode => Signal is null ? (Raw >> 8) & 0xff : null;
}
