namespace Centaur.Cli;

/// <summary>
/// The one exception whose text a user reads: what happened, what it means, what to do. Everything else that escapes is a mistake of ours
/// and is reported as such, without a stack trace.
/// </summary>
internal sealed class CliError(int exitCode, string what, string? meaning = null, string? remedy = null) : Exception(what)
{
    public int ExitCode { get; } = exitCode;
    public string? Meaning { get; } = meaning;
    public string? Remedy { get; } = remedy;

    /// <summary>The server's word for programs, where it refused with one.</summary>
    public string? Code { get; init; }

    /// <summary>Lines of a log that show the cause; already free of control characters.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];
}
