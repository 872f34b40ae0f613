namespace Centaur.Cli;

/// <summary>Exit codes by class, so that a script can tell "the agent failed" from "Centaur is not running".</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The work itself failed: the turn, a test, a check, a benchmark.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>The machine or its configuration lacks something.</summary>
    public const int Prerequisite = 3;

    /// <summary>Centaur is not running or cannot be reached.</summary>
    public const int Unavailable = 4;

    /// <summary>Centaur refused: wrong key, unknown name, conflict.</summary>
    public const int Refused = 5;

    /// <summary>A time limit passed.</summary>
    public const int TimedOut = 6;

    /// <summary>A mistake of ours.</summary>
    public const int Bug = 70;

    public const int Interrupted = 130;

    public const string Legend =
        "Exit codes: 0 done · 1 the work failed · 2 usage · 3 something is missing on this machine · 4 not running · 5 refused · 6 too slow · 130 interrupted";
}
