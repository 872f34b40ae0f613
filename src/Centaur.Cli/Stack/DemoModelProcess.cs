using System.Globalization;
using Centaur.Cli.Processes;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>The scripted model that answers where no model key is set. Only <c>ask</c> starts it; it writes its own address file once it listens.</summary>
internal sealed class DemoModelProcess(CliContext context)
{
    static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);

    readonly HostLayout layout = context.Layout;

    public DemoModelState? Running() =>
        PidFile.Read(layout.DemoModelFile, ProtocolJson.Default.DemoModelState) is { } state && ProcessTable.IsAlive(state.Process) ? state : null;

    public async Task<DemoModelState> EnsureRunning(CancellationToken cancellationToken)
    {
        if (Running() is { } running)
            return running;

        File.Delete(layout.DemoModelFile);
        var command = new ProcessCommand(ProgramPaths.Built(context.Programs.DemoModel), "--state-file", layout.DemoModelFile, "--port", 0.ToString(CultureInfo.InvariantCulture))
        {
            Environment = ProgramEnvironment.DemoModel(context),
        };
        var logEnd = LogTail.End(layout.DemoModelLog);
        var process = command.StartDetached(layout.DemoModelLog);
        var deadline = Environment.TickCount64 + (long)ReadyLimit.TotalMilliseconds;
        while (true)
        {
            if (Running() is { } ready)
                return ready;
            if (!ProcessTable.IsAlive(process) || Environment.TickCount64 > deadline)
            {
                throw new CliError(ExitCode.Prerequisite, "The demo model did not start.", remedy: $"The whole log is {layout.DemoModelLog}.")
                {
                    Evidence = LogTail.Read(layout.DemoModelLog, 10, logEnd),
                };
            }

            await Task.Delay(20, cancellationToken);
        }
    }

    public async Task<bool> Stop(CancellationToken cancellationToken)
    {
        if (Running() is not { } running)
            return false;
        await ProcessTable.Stop(running.Process, Native.SigTerm, TimeSpan.FromSeconds(5), cancellationToken);
        File.Delete(layout.DemoModelFile);
        return true;
    }
}
