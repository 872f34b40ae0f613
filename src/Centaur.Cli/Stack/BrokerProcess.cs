using System.Globalization;
using System.Net.Sockets;
using Centaur.Cli.Processes;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>The secret broker: one per home, under a uid of its own where root starts it, so that no other program's file access reaches a value.</summary>
internal sealed class BrokerProcess(CliContext context)
{
    static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);

    readonly HostLayout layout = context.Layout;

    public ProcessMark? Running() => PidFile.AliveIn(layout.BrokerPidFile);

    /// <returns>True when it had to be started.</returns>
    public async Task<bool> EnsureRunning(CancellationToken cancellationToken)
    {
        if (Running() is { } running)
        {
            if (ProcessTable.ProgramOf(running.Pid) == Native.RealPath(context.RunFrom.Proxy))
                return false;
            context.Terminal.Note("The secret broker runs an older build; starting it anew …");
            await Stop(cancellationToken);
        }

        var command = new ProcessCommand(
            ProgramPaths.Built(context.RunFrom.Proxy), "broker", "--secrets-folder", layout.SecretsFolder,
            "--control-socket", layout.BrokerControlSocket, "--fetch-socket", layout.BrokerFetchSocket)
        {
            Environment = ProgramEnvironment.Broker(context),
        };
        if (File.Exists(context.ConfigFile))
            command = command with { Arguments = [.. command.Arguments, "--config", context.ConfigFile] };
        if (context.IsRoot)
            command = command with { Arguments = [.. command.Arguments, "--user", HostLayout.BrokerUid.ToString(CultureInfo.InvariantCulture)] };

        var logEnd = LogTail.End(layout.BrokerLog);
        var broker = command.StartDetached(layout.BrokerLog);
        PidFile.Write(layout.BrokerPidFile, broker, ProtocolJson.Default.ProcessMark);
        await WaitUntilReady(broker, logEnd, cancellationToken);
        return true;
    }

    public async Task<bool> Stop(CancellationToken cancellationToken)
    {
        if (Running() is not { } running)
            return false;
        await ProcessTable.Stop(running, Native.SigTerm, TimeSpan.FromSeconds(10), cancellationToken);
        File.Delete(layout.BrokerPidFile);
        return true;
    }

    async Task WaitUntilReady(ProcessMark broker, long logEnd, CancellationToken cancellationToken)
    {
        var deadline = Environment.TickCount64 + (long)ReadyLimit.TotalMilliseconds;
        while (!await Accepts(layout.BrokerControlSocket, cancellationToken))
        {
            var ended = !broker.IsAlive();
            if (ended || Environment.TickCount64 > deadline)
            {
                throw new CliError(
                    ExitCode.Prerequisite, ended ? "The secret broker ended while it started." : "The secret broker is not ready.",
                    "Without it no sandbox can use a credential.", $"The whole log is {layout.BrokerLog}.")
                {
                    Evidence = LogTail.Read(layout.BrokerLog, 10, logEnd),
                };
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    static async Task<bool> Accepts(string path, CancellationToken cancellationToken)
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
