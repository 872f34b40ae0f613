namespace Centaur.Cli;

/// <summary>The published programs, each in a folder of its own beside this one's: <c>dist/cli</c>, <c>dist/server</c>, …</summary>
/// <param name="Dist">The folder that holds them all.</param>
internal sealed record ProgramPaths(string Dist)
{
    public string Server => Path.Combine(Dist, "server", "centaur-server");
    public string Proxy => Path.Combine(Dist, "proxy", "centaur-proxy");
    public string Runner => Path.Combine(Dist, "runner", "centaur-runner");
    public string DemoModel => Path.Combine(Dist, "demo-model", "centaur-demo-model");

    public static ProgramPaths BesideThis(string baseDirectory) => new(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(baseDirectory))!);

    /// <summary>The program, or the error that it was not built.</summary>
    public static string Built(string program) =>
        File.Exists(program)
            ? program
            : throw new CliError(ExitCode.Prerequisite, $"{Path.GetFileName(program)} is not at {program}.", "It was not built.", "Start through ./centaur, which builds what is missing.");
}
