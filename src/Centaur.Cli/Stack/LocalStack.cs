using Centaur.Cli.Postgres;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>
/// Everything of one home on this machine, brought up in the order in which one needs the other: folders, Postgres, broker, demo model (where there was one), server; and down in reverse.
/// Both are safe to repeat and to interrupt: each step looks at what is there.
/// </summary>
internal sealed class LocalStack(CliContext context)
{
    public PostgresProcess Postgres { get; } = new(context);
    public BrokerProcess Broker { get; } = new(context);
    public ServerProcess Server { get; } = new(context);
    public DemoModelProcess DemoModel { get; } = new(context);
    public SandboxProcesses Sandboxes { get; } = new(context);

    public bool UsesEmbeddedPostgres => context.Variable("DATABASE_URL") is null;

    /// <summary>True when all of it runs the current build and needs no start; costs a few reads of <c>/proc</c>.</summary>
    public ServerState? StateWhenUp() =>
        Server.Running() is { } server && Server.State() is { } state && state.Process == server && Broker.Running() is not null
        && (!UsesEmbeddedPostgres || Postgres.Running() is not null)
        && ProcessTable.ProgramOf(server.Pid) == Native.RealPath(context.RunFrom.Server)
            ? state
            : null;

    /// <summary>Brings everything up, detached, where it is not.</summary>
    public static async Task EnsureUp(CliContext context, CancellationToken cancellationToken)
    {
        var stack = new LocalStack(context);
        if (stack.StateWhenUp() is not null)
            return;
        context.Terminal.Note("Bringing Centaur up (it stays up; `centaur down` stops it) …");
        await stack.Up(cancellationToken);
    }

    /// <summary>All or nothing: what a start that fails has started is stopped again.</summary>
    /// <returns>What had to be started.</returns>
    public async Task<Started> Up(CancellationToken cancellationToken)
    {
        ProgramPaths.Built(context.Programs.Proxy);
        ProgramPaths.Built(context.Programs.Server);
        using var held = await UpLock.Take(context, cancellationToken);
        var folders = new HostFolders(context);
        var started = new Started();
        folders.MakeAll();
        await ProgramInstall.Fill(context, cancellationToken);
        await Server.MustBeAbleToStart(cancellationToken);
        try
        {
            if (UsesEmbeddedPostgres)
                started.Postgres = await Postgres.EnsureRunning(folders, cancellationToken);
            else
                await new DatabaseUrlCheck(context).Run(cancellationToken);
            started.Broker = await Broker.EnsureRunning(cancellationToken);
            // Before the server, which at once takes up the turns that ask it.
            started.DemoModel = await DemoModel.Restore(cancellationToken);
            started.Server = await Server.EnsureRunning(cancellationToken);
            return started;
        }
        catch
        {
            await StopStarted(started, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Ends what <see cref="Up"/> started, and nothing that ran before.</summary>
    public async Task Down(Started started, CancellationToken cancellationToken)
    {
        using var held = await UpLock.Take(context, cancellationToken);
        await StopStarted(started, cancellationToken);
    }

    async Task StopStarted(Started started, CancellationToken cancellationToken)
    {
        if (started.Server)
        {
            await Server.Stop(cancellationToken);
            await Sandboxes.Stop(cancellationToken);
        }

        if (started.Server || started.DemoModel)
            await DemoModel.Stop(cancellationToken);
        if (started.Broker)
            await Broker.Stop(cancellationToken);
        if (started.Postgres)
            await Postgres.Stop(cancellationToken);
        // A server of before would miss them.
        if (started.Server)
            new HostFolders(context).RemoveEmptyRuntime();
    }

    /// <returns>The names of what ran and was stopped.</returns>
    public async Task<IReadOnlyList<string>> DownAll(CancellationToken cancellationToken)
    {
        using var held = await UpLock.Take(context, cancellationToken);
        var stopped = new List<string>();
        if (await Server.Stop(cancellationToken))
            stopped.Add("server");
        if (await Sandboxes.Stop(cancellationToken) is > 0 and var count)
            stopped.Add($"sandboxes ({count})");
        if (await DemoModel.Stop(cancellationToken))
            stopped.Add("demo model");
        if (await Broker.Stop(cancellationToken))
            stopped.Add("broker");
        if (await Postgres.Stop(cancellationToken))
            stopped.Add("postgres");
        new HostFolders(context).RemoveEmptyRuntime();
        return stopped;
    }
}

/// <summary>What one <c>up</c> started so far.</summary>
internal sealed class Started
{
    public bool Postgres { get; set; }
    public bool Broker { get; set; }
    public bool DemoModel { get; set; }
    public bool Server { get; set; }
    public bool Anything => Postgres || Broker || DemoModel || Server;
}
