using System.ComponentModel;
using System.Diagnostics;

namespace Centaur.Cli.Processes;

/// <summary>Runs a program to its end and keeps what it said.</summary>
/// <param name="ExitCode">How it ended; 127 when there is no such program.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record ProcessRun(int ExitCode, string Output, string Error)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>Everything it said, the last lines, for an error message.</summary>
    public IReadOnlyList<string> Tail(int lines = 8) =>
        [.. (Output + "\n" + Error).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(lines)];

    public static async Task<ProcessRun> Of(ProcessCommand command, CancellationToken cancellationToken, string input = "")
    {
        var start = command.ToStartInfo();
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            return new ProcessRun(127, "", missing.Message);
        }

        using (process)
        {
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var error = process.StandardError.ReadToEndAsync(cancellationToken);
                await Feed(process, input, cancellationToken);
                await process.WaitForExitAsync(cancellationToken);
                return new ProcessRun(process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    static async Task Feed(Process process, string input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code says why.
        }
    }
}
