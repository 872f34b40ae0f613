using System.Diagnostics;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Sandbox;

namespace Centaur.Server.Sandboxes.Local;

/// <summary>
/// A keeper that was just started: in a session of its own, with an empty environment (ours holds the server's own secrets), its output in a file.
/// It is not ours to end: disposing of this object forgets it.
/// </summary>
internal sealed class KeeperProcess : IDisposable
{
    const int LogTailBytes = 2_000;

    readonly Process process;

    KeeperProcess(Process process, string logFile) => (this.process, LogFile) = (process, logFile);

    public string LogFile { get; }

    public bool HasExited => process.HasExited;

    public bool LeftItToAnother => process.ExitCode == SandboxSpec.KeptByAnother;

    public static async Task<KeeperProcess> Start(KeeperPrograms programs, SandboxSpec spec, bool replayOnly, CancellationToken cancellationToken)
    {
        var specFile = Path.Combine(spec.StateFolder, "spec.json");
        var logFile = Path.Combine(spec.StateFolder, "keeper.log");
        // In one step: a keeper that is already there may be reading it.
        var draft = Path.Combine(spec.StateFolder, "spec.json.new");
        await File.WriteAllBytesAsync(draft, JsonSerializer.SerializeToUtf8Bytes(spec, ProtocolJson.Default.SandboxSpec), cancellationToken);
        File.Move(draft, specFile, overwrite: true);

        // The shell is gone once it has redirected: setsid and the keeper replace it.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec setsid \"$@\" </dev/null >>\"$log\" 2>&1", "sh", logFile, programs.Runner, "keep", "--spec", specFile])
            start.ArgumentList.Add(argument);
        if (replayOnly)
            start.ArgumentList.Add("--replay-only");
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LANG"] = "C.UTF-8";
        // One that is killed would leave its diagnostics socket in /tmp.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var started = Process.Start(start) ?? throw new SandboxStartException("The shell that starts a keeper could not be run.");
        return new KeeperProcess(started, logFile);
    }

    /// <summary>What the keeper wrote last, for whoever must find out why it ended.</summary>
    public async Task<string> LastWords(CancellationToken cancellationToken)
    {
        await using var log = new FileStream(LogFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(-Math.Min(LogTailBytes, log.Length), SeekOrigin.End);
        using var reader = new StreamReader(log);
        var text = (await reader.ReadToEndAsync(cancellationToken)).Trim();
        return text.Length > 0 ? text : $"the keeper ended with code {process.ExitCode} and said nothing.";
    }

    public void Dispose() => process.Dispose();
}

/// <summary>Absolute paths of the programs that a keeper is and starts.</summary>
internal sealed record KeeperPrograms(string Runner, string Proxy)
{
    /// <summary>Every program finds its siblings beside its own folder.</summary>
    public static KeeperPrograms BesideThisOne()
    {
        var all = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, ".."));
        return new KeeperPrograms(Path.Combine(all, "runner", "centaur-runner"), Path.Combine(all, "proxy", "centaur-proxy"));
    }
}
