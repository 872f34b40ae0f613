namespace Centaur.ProxyConformance.Targets;

/// <summary>The program ended before it listened.</summary>
sealed class NotStartedException(int exitCode, string said) : Exception(said)
{
    public int ExitCode => exitCode;
}
