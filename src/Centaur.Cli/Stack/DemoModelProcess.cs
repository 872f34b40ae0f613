using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Processes;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>
/// The scripted model that answers where no model key is set. Only <c>ask</c> starts it first; a home that has one gets it back at every start, because a turn
/// that is taken up again asks it. It outlives a server that is killed, and takes its old port again after an end of its own, because policies name it.
/// </summary>
internal sealed class DemoModelProcess(CliContext context)
{
    static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);

    readonly HostLayout layout = context.Layout;

    public DemoModelState? Running() => Read() is { } state && state.Process.IsAlive() ? state : null;

    public async Task<DemoModelState> EnsureRunning(CancellationToken cancellationToken)
    {
        using var held = await UpLock.Take(context, cancellationToken);
        return Running() ?? await Start(cancellationToken);
    }

    /// <summary>Starts it where this home has had one. The caller holds the <see cref="UpLock"/>.</summary>
    /// <returns>True when it had to be started.</returns>
    public async Task<bool> Restore(CancellationToken cancellationToken)
    {
        if (Read() is null || Running() is not null)
            return false;
        await Start(cancellationToken);
        return true;
    }

    /// <summary>Its file stays and says that the home has one.</summary>
    public async Task<bool> Stop(CancellationToken cancellationToken)
    {
        if (Running() is not { } running)
            return false;
        await ProcessTable.Stop(running.Process, Native.SigTerm, TimeSpan.FromSeconds(5), cancellationToken);
        return true;
    }

    async Task<DemoModelState> Start(CancellationToken cancellationToken)
    {
        var previous = Read() is { } dead ? new Uri(dead.BaseUrl).Port : 0;
        var state = (previous == 0 ? null : await Start(previous, cancellationToken)) ?? await Start(port: 0, cancellationToken)
            ?? throw new CliError(ExitCode.Prerequisite, "The demo model did not start.", remedy: $"The whole log is {layout.DemoModelLog}.")
            {
                Evidence = LogTail.Read(layout.DemoModelLog, 10),
            };
        PidFile.Write(layout.DemoModelFile, state, ProtocolJson.Default.DemoModelState);
        return state;
    }

    async Task<DemoModelState?> Start(int port, CancellationToken cancellationToken)
    {
        var logEnd = LogTail.End(layout.DemoModelLog);
        var process = new ProcessCommand(ProgramPaths.Built(context.RunFrom.DemoModel), "--listen", $"127.0.0.1:{port}")
        {
            Environment = ProgramEnvironment.DemoModel(context),
        }.StartDetached(layout.DemoModelLog);
        var deadline = Environment.TickCount64 + (long)ReadyLimit.TotalMilliseconds;
        while (process.IsAlive() && Environment.TickCount64 < deadline)
        {
            if (LogTail.Read(layout.DemoModelLog, 5, logEnd).Select(Address).FirstOrDefault(address => address is not null) is { } address)
                return new DemoModelState(process, address);
            await Task.Delay(20, cancellationToken);
        }

        await ProcessTable.Stop(process, Native.SigTerm, TimeSpan.FromSeconds(1), cancellationToken);
        return null;
    }

    DemoModelState? Read() => PidFile.Read(layout.DemoModelFile, ProtocolJson.Default.DemoModelState);

    /// <summary>The address in its announcement, <c>{"listening":"http://127.0.0.1:41231"}</c>.</summary>
    static string? Address(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, CliJson.Default.JsonElement).TryGetProperty("listening", out var address) ? address.GetString() : null;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
