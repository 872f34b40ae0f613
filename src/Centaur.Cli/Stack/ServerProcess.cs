using Centaur.Cli.Processes;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>The control plane's process on this machine.</summary>
internal sealed class ServerProcess(CliContext context)
{
    /// <summary>The server's exit code, as sysexits.h names it.</summary>
    public const int WrongConfiguration = 78;

    static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    readonly HostLayout layout = context.Layout;

    public ProcessMark? Running() => PidFile.AliveIn(layout.ServerPidFile);

    /// <summary>What the running server says of itself; null before it listens.</summary>
    public ServerState? State() =>
        PidFile.Read(layout.ServerStateFile, ProtocolJson.Default.ServerState) is { } state && state.Process.IsAlive() ? state : null;

    /// <summary>True where the configuration was written after the server that runs was started.</summary>
    public bool IsOutdated =>
        Running() is not null && File.Exists(context.ConfigFile) && File.GetLastWriteTimeUtc(context.ConfigFile) > File.GetLastWriteTimeUtc(layout.ServerPidFile);

    public string Outdated => $"{context.ConfigFile} has changed since the server started; centaur down && centaur up applies it.";

    /// <summary>Finds a wrong configuration and a taken address before anything is started; what already runs has both.</summary>
    public async Task MustBeAbleToStart(CancellationToken cancellationToken)
    {
        if (Running() is not null)
            return;
        var run = await Check("--check-start", cancellationToken);
        if (run.Succeeded)
            return;
        if (run.ExitCode == WrongConfiguration)
        {
            throw new CliError(ExitCode.Prerequisite, $"The configuration is wrong: {context.ConfigFile} or the environment.", remedy: $"Correct it; docs/configuration.md lists every setting.")
            {
                Evidence = run.Tail(20),
            };
        }

        throw new CliError(ExitCode.Prerequisite, string.Join(' ', run.Tail(3)), remedy: $"Choose another address under listen: in {context.ConfigFile}, or stop the program that holds it.");
    }

    /// <summary>Asks the server's program what it can say without a start.</summary>
    public Task<ProcessRun> Check(string what, CancellationToken cancellationToken) =>
        ProcessRun.Of(new ProcessCommand(ProgramPaths.Built(context.RunFrom.Server), what) { Environment = ProgramEnvironment.Server(context) }, cancellationToken);

    /// <returns>True when it had to be started.</returns>
    public async Task<bool> EnsureRunning(CancellationToken cancellationToken)
    {
        if (Running() is { } running)
        {
            if (ProcessTable.ProgramOf(running.Pid) == Native.RealPath(context.RunFrom.Server))
            {
                await WaitUntilReady(running, LogTail.End(layout.ServerLog), cancellationToken);
                return false;
            }

            context.Terminal.Note("The server runs an older build; starting it anew (sandboxes go on) …");
            await Stop(cancellationToken);
        }

        context.Terminal.Note("Starting the server …");
        var command = new ProcessCommand(ProgramPaths.Built(context.RunFrom.Server)) { Environment = ProgramEnvironment.Server(context), Folder = layout.Home };
        var logEnd = LogTail.End(layout.ServerLog);
        var server = command.StartDetached(layout.ServerLog);
        PidFile.Write(layout.ServerPidFile, server, ProtocolJson.Default.ProcessMark);
        await WaitUntilReady(server, logEnd, cancellationToken);
        return true;
    }

    public async Task<bool> Stop(CancellationToken cancellationToken)
    {
        if (Running() is not { } running)
            return false;
        context.Terminal.Note("Stopping the server …");
        if (!await ProcessTable.Stop(running, Native.SigTerm, StopLimit, cancellationToken))
            context.Terminal.Note($"The server did not stop within {StopLimit.TotalSeconds:0} s and was killed; its work is taken up at the next start.");
        File.Delete(layout.ServerPidFile);
        return true;
    }

    public Exception Ended(long logEnd) =>
        new CliError(ExitCode.Prerequisite, "The server ended.", remedy: $"The whole log is {layout.ServerLog}.")
        {
            Evidence = [.. LogTail.Read(layout.ServerLog, 15, logEnd).Select(LogLine.ForPeople)],
        };

    async Task WaitUntilReady(ProcessMark server, long logEnd, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
        var deadline = Environment.TickCount64 + (long)ReadyLimit.TotalMilliseconds;
        var last = "it does not listen yet";
        while (true)
        {
            if (State() is { } state && state.Process == server)
            {
                last = await Ask(http, state.Api, cancellationToken);
                if (last.Length == 0)
                    return;
            }

            if (!server.IsAlive())
                throw Ended(logEnd);
            if (Environment.TickCount64 > deadline)
            {
                throw new CliError(
                    ExitCode.TimedOut, $"The server is not ready after {ReadyLimit.TotalSeconds:0} s: {last}.", remedy: $"The whole log is {layout.ServerLog}. centaur down stops it.")
                {
                    Evidence = [.. LogTail.Read(layout.ServerLog, 15, logEnd).Select(LogLine.ForPeople)],
                };
            }

            await Task.Delay(25, cancellationToken);
        }
    }

    /// <returns>Empty when it is ready, else why not.</returns>
    static async Task<string> Ask(HttpClient http, string api, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri($"{api}/health/ready"), cancellationToken);
            return answer.IsSuccessStatusCode ? "" : $"it answers {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}";
        }
        catch (HttpRequestException unreachable)
        {
            return unreachable.Message;
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "it takes connections and does not answer";
        }
    }
}
