using System.Diagnostics;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Processes;

/// <summary>A program with everything it needs to start; can be run under another user and can be started so that it outlives us.</summary>
internal sealed record ProcessCommand(string Program, params IReadOnlyList<string> Arguments)
{
    /// <summary>The whole environment; null for ours.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public string Folder { get; init; } = "/";

    /// <summary>The same under another user. Only root may.</summary>
    public ProcessCommand As(string user) =>
        this with { Program = "setpriv", Arguments = [$"--reuid={user}", $"--regid={user}", "--init-groups", "--", Program, .. Arguments] };

    public ProcessStartInfo ToStartInfo()
    {
        var start = new ProcessStartInfo(Program, Arguments) { UseShellExecute = false, WorkingDirectory = Folder };
        if (Environment is null)
            return start;
        start.Environment.Clear();
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>
    /// Starts it in a session of its own, with its output in the log and nothing else that is open here: no Ctrl-C and no end of ours reaches it. The shell and
    /// <c>setsid</c> replace themselves, so the pid is the program's own.
    /// </summary>
    public ProcessMark StartDetached(string log)
    {
        const string script = """umask 077; log=$1; shift; exec setsid "$@" >>"$log" 2>&1 </dev/null""";
        var detached = this with { Program = "/bin/sh", Arguments = ["-c", script, "sh", log, Program, .. Arguments] };
        Native.KeepDescriptorsToOurselves();
        using var process = Process.Start(detached.ToStartInfo())!;
        return ProcessMark.Of(process.Id)
            ?? throw new CliError(ExitCode.Prerequisite, $"{Program} ended at once.", remedy: $"Read {log}.");
    }
}
