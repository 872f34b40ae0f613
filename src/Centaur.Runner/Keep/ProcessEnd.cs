using Centaur.Protocol.Attach;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep;

/// <summary>How the harness or the jail ended.</summary>
/// <param name="Status">What the kernel says.</param>
/// <param name="Cause">One of <see cref="ExitCauses"/>.</param>
/// <param name="Message">A sentence for people.</param>
internal sealed record ProcessEnd(WaitStatus Status, string Cause, string Message)
{
    const int SignalBase = 128;
    const int LastSignal = 64;

    /// <param name="name">Who ended, as the sentence names it.</param>
    /// <param name="status">What the kernel says.</param>
    /// <param name="asked">The cause where we ended it ourselves, or null.</param>
    /// <param name="outOfMemory">True where the kernel killed a process of the sandbox for memory meanwhile.</param>
    /// <param name="lastWords">The end of its standard error, or empty.</param>
    public static ProcessEnd Of(string name, WaitStatus status, string? asked, bool outOfMemory, string lastWords)
    {
        // A program that waits for another, as bubblewrap does, tells the other's signal as 128 and its number (bash(1), EXIT STATUS).
        var signal = status.Signal ?? (status.ExitCode is > SignalBase and <= SignalBase + LastSignal ? status.ExitCode - SignalBase : null);
        var cause = asked ?? (signal == Libc.SigKill && outOfMemory ? ExitCauses.OutOfMemory : signal is null ? ExitCauses.Exited : ExitCauses.Killed);
        var sentence = cause switch
        {
            ExitCauses.OutOfMemory => $"{name} was killed because the sandbox ran out of memory.",
            ExitCauses.Interrupted => $"{name} did not stop when it was interrupted and was killed.",
            ExitCauses.Stopped => $"{name} was stopped.",
            ExitCauses.Killed => $"{name} was killed by signal {signal}.",
            _ => $"{name} ended with exit code {status.ExitCode}.",
        };
        if (outOfMemory && cause == ExitCauses.Exited)
            sentence += " The sandbox had run out of memory.";
        return new ProcessEnd(status, cause, lastWords.Length == 0 ? sentence : $"{sentence} Its last words: {lastWords}");
    }
}
