using System.Diagnostics;
using System.Globalization;

namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>
/// Runs a command in bash, in a session of its own, so that a timeout or an interrupt kills everything that it started.
/// A process that it leaves behind keeps running; its output is not waited for.
/// </summary>
internal sealed class ShellTool(string workspace, TimeProvider clock) : IAgentTool
{
    const int DefaultSeconds = 120;
    const int MaxSeconds = 3600;

    /// <summary>How long the last words of an ended command may take to arrive while a process that it left behind holds the pipe.</summary>
    static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(300);

    public string Name => "shell";

    public string Description => "Runs a command with bash in the workspace and returns its output and exit code.";

    public IReadOnlyList<ToolParameter> Parameters { get; } =
    [
        new("command", "string", "The command, as bash reads it."),
        new("timeout_seconds", "integer", "After this it is killed; 120 unless told.", Required: false),
    ];

    public async Task<ToolResult> Run(ToolInput input, CancellationToken cancellationToken)
    {
        var timeout = TimeSpan.FromSeconds(Math.Clamp(input.Number("timeout_seconds", DefaultSeconds), 1, MaxSeconds));
        using var process = new Process { StartInfo = StartInfo(input.Text("command")) };
        process.Start();
        process.StandardInput.Close();
        using var reading = new CancellationTokenSource();
        var output = new CappedOutput();
        var reader = output.Read(process.StandardOutput.BaseStream, reading.Token);
        using var deadline = new CancellationTokenSource(timeout, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var timedOut = false;
        try
        {
            await process.WaitForExitAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            timedOut = !cancellationToken.IsCancellationRequested;
            await ProcessGroup.Kill(process);
        }

        reading.CancelAfter(LastWords);
        await reader;
        cancellationToken.ThrowIfCancellationRequested();
        return timedOut
            ? ToolResult.Error(string.Create(CultureInfo.InvariantCulture, $"{output}\n(killed after {timeout.TotalSeconds:0} s)"))
            : Result(output.ToString(), process.ExitCode);
    }

    ProcessStartInfo StartInfo(string command)
    {
        // One pipe for both streams keeps their order. A first redirection also leaves the command's own lines and quotes untouched.
        var start = new ProcessStartInfo("setsid", ["bash", "-lc", $"exec 2>&1\n{OwnLimit.Words()}{command}"])
        {
            WorkingDirectory = workspace,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return start;
    }

    static ToolResult Result(string output, int exitCode)
    {
        var text = output.Length > 0 ? output : "(no output)";
        return exitCode == 0 ? new ToolResult(text) : ToolResult.Error(string.Create(CultureInfo.InvariantCulture, $"{text.TrimEnd('\n')}\n(exit code {exitCode})"));
    }
}
