using System.Globalization;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Postgres;

/// <summary>
/// The running embedded Postgres. Whether one runs is never a matter of a pid in a file: it is a process of Postgres whose working folder is this data
/// folder, which no recycled pid is. So a <c>kill -9</c> leaves nothing that a start cannot tell and clear.
/// </summary>
internal sealed class PostgresProcess(CliContext context)
{
    static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(5);
    static readonly TimeSpan UsualStart = TimeSpan.FromSeconds(2);
    static readonly TimeSpan FastStopLimit = TimeSpan.FromSeconds(30);
    static readonly TimeSpan OrphanLimit = TimeSpan.FromSeconds(30);

    readonly HostLayout layout = context.Layout;

    string PidFilePath => Path.Combine(layout.PostgresData, "postmaster.pid");

    /// <summary>The postmaster, or null.</summary>
    public ProcessMark? Running() => FirstPid() is { } pid && IsOurs(pid) ? ProcessMark.Of(pid) : null;

    /// <summary>The folder of its socket; a postmaster that was started in another session may have another than the one computed now.</summary>
    public string SocketFolder() => ReadPidFile() is { Length: > 4 } lines && lines[4].Length > 0 ? lines[4] : layout.PostgresSocketFolder;

    /// <returns>True when it had to be started.</returns>
    public async Task<bool> EnsureRunning(HostFolders folders, CancellationToken cancellationToken)
    {
        var cluster = new PostgresCluster(context);
        if (Running() is { } running && await IsReady(running, LogTail.End(layout.PostgresLog), cancellationToken))
            return false;

        var binaries = await PostgresBinaries.Find(context, cluster.Major, cancellationToken);
        await cluster.EnsureMade(binaries, folders, cancellationToken);
        await folders.MakeForPostgres(layout.PostgresSocketFolder, cancellationToken);
        await ClearAfterKill(cancellationToken);

        context.Terminal.Note($"Starting Postgres {binaries.Major} …");
        var logEnd = LogTail.End(layout.PostgresLog);
        var started = cluster.Command(binaries.Postgres, "-D", layout.PostgresData).StartDetached(layout.PostgresLog);
        return await IsReady(started, logEnd, cancellationToken) ? true : throw Failed("Postgres ended while it started.", logEnd);
    }

    /// <returns>True when there was one to stop.</returns>
    public async Task<bool> Stop(CancellationToken cancellationToken)
    {
        if (Running() is not { } running)
            return false;
        context.Terminal.Note("Stopping Postgres …");
        ProcessTable.Signal(running, Native.SigInt);
        if (!await ProcessTable.WaitForEnd(running, FastStopLimit, cancellationToken))
            await ProcessTable.Stop(running, Native.SigQuit, FastStopLimit, cancellationToken);
        return true;
    }

    /// <summary>Waits until it takes connections; false when it ended instead.</summary>
    async Task<bool> IsReady(ProcessMark postmaster, long logEnd, CancellationToken cancellationToken)
    {
        var begun = Environment.TickCount64;
        var deadline = begun + (long)ReadyLimit.TotalMilliseconds;
        var told = false;
        while (true)
        {
            var socket = Path.Combine(SocketFolder(), $".s.PGSQL.{HostLayout.PostgresPort}");
            var answer = await PostgresHandshake.Try(socket, HostLayout.DatabaseName, HostLayout.DatabaseName, cancellationToken);
            if (answer.Answer == PostgresAnswer.Accepted)
                return true;
            if (answer.Answer == PostgresAnswer.Refused)
                throw Failed($"Postgres refuses us: {answer.Message}.", logEnd);
            if (!postmaster.IsAlive())
                return false;
            if (Environment.TickCount64 > deadline)
                throw Failed($"Postgres is not ready after {ReadyLimit.TotalMinutes:0} minutes.", logEnd);
            if (answer.Answer == PostgresAnswer.NotYet && !told && Environment.TickCount64 - begun > UsualStart.TotalMilliseconds)
            {
                context.Terminal.Note("Postgres recovers what its last run left …");
                told = true;
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>
    /// After a <c>kill -9</c> of the postmaster its children end by themselves, but a start is refused while one lives. The lock files name a pid that
    /// may belong to anybody by now; Postgres would believe it.
    /// </summary>
    async Task ClearAfterKill(CancellationToken cancellationToken)
    {
        foreach (var pid in ProcessTable.Pids().Where(IsOurs).ToList())
        {
            if (ProcessMark.Of(pid) is { } orphan && !await ProcessTable.WaitForEnd(orphan, OrphanLimit, cancellationToken))
                await ProcessTable.Stop(orphan, Native.SigQuit, OrphanLimit, cancellationToken);
        }

        File.Delete(PidFilePath);
        foreach (var socketFile in Directory.EnumerateFiles(layout.PostgresSocketFolder, ".s.PGSQL.*"))
            File.Delete(socketFile);
    }

    bool IsOurs(int pid) =>
        ProcessTable.FolderOf(pid) == Native.RealPath(layout.PostgresData) && Path.GetFileName(ProcessTable.ProgramOf(pid)) is "postgres" && ProcessMark.Of(pid) is not null;

    int? FirstPid() =>
        ReadPidFile() is { Length: > 0 } lines && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : null;

    string[]? ReadPidFile()
    {
        try
        {
            return File.ReadAllLines(PidFilePath);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    CliError Failed(string what, long logEnd) =>
        new(ExitCode.Prerequisite, what, remedy: $"The whole log is {layout.PostgresLog}.") { Evidence = LogTail.Read(layout.PostgresLog, 10, logEnd) };
}
