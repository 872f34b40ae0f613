using System.CommandLine;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur up</c> and <c>centaur down</c>.</summary>
internal static class UpVerbs
{
    public static Verb Up(CliContext context)
    {
        var detach = new Option<bool>("--detach", "-d") { Description = "Return when everything is ready, and leave it running." };
        return new Verb("up", "Start Postgres, the secret broker and the server, and wait until they are ready.", "centaur up --detach", "DATABASE_URL=postgresql://centaur@db/centaur centaur up")
        {
            Remark = "Without --detach it stays in the foreground; Ctrl-C stops what it started. What already runs is left alone, what died is started again, as is the demo model where one ran.",
        }.With(detach).Does((parsed, cancellationToken) => Up(context, parsed.GetValue(detach), cancellationToken));
    }

    public static Verb Down(CliContext context) =>
        new Verb("down", "Stop everything of this home: server, sandboxes, broker, Postgres.", "centaur down")
        {
            WorksAnywhere = true,
            Remark = "Threads, workspaces and the database stay. A turn that runs is taken up again by the next start.",
        }.Does((_, cancellationToken) => Down(context, cancellationToken));

    static async Task<int> Up(CliContext context, bool detach, CancellationToken cancellationToken)
    {
        var stack = new LocalStack(context);
        var started = await stack.Up(cancellationToken);
        var state = stack.Server.State() ?? throw new CliError(ExitCode.Unavailable, "The server ended as soon as it was ready.", remedy: "centaur logs");
        if (!started.Anything)
        {
            context.Terminal.Note($"Centaur was already up at {state.Api}");
            if (stack.Server.IsOutdated)
                context.Terminal.Note(stack.Server.Outdated);
            return ExitCode.Ok;
        }

        context.Terminal.Note($"Centaur is up at {state.Api}");
        if (detach)
            return ExitCode.Ok;

        context.Terminal.Note("Ctrl-C stops it.");
        try
        {
            var logEnd = LogTail.End(context.Layout.ServerLog);
            await ProcessTable.WaitForEnd(state.Process, Timeout.InfiniteTimeSpan, cancellationToken);
            await stack.Down(started, CancellationToken.None);
            throw stack.Server.Ended(logEnd);
        }
        catch (OperationCanceledException)
        {
            await stack.Down(started, CancellationToken.None);
            return ExitCode.Ok;
        }
    }

    static async Task<int> Down(CliContext context, CancellationToken cancellationToken)
    {
        var stopped = await new LocalStack(context).DownAll(cancellationToken);
        context.Terminal.Note(stopped.Count == 0 ? "Nothing of this home was running." : $"Stopped: {string.Join(", ", stopped)}.");
        return ExitCode.Ok;
    }
}
