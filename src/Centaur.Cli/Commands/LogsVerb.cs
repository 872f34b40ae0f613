using System.CommandLine;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur logs</c>.</summary>
internal static class LogsVerb
{
    public static Verb Build(CliContext context)
    {
        var program = new Argument<string>("program") { Description = "Whose log: server, broker, postgres or demo-model.", DefaultValueFactory = _ => "server" };
        program.AcceptOnlyFromAmong("server", "broker", "postgres", "demo-model");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until Ctrl-C." };
        var lines = new Option<int>("--lines", "-n") { Description = "Begin with so many of the last lines.", DefaultValueFactory = _ => 100, HelpName = "n" };
        return new Verb("logs", "Print the end of a program's log.", "centaur logs", "centaur logs postgres -f")
            .With(program, follow, lines)
            .Does((parsed, cancellationToken) => Show(context, LogOf(context, parsed.GetValue(program)!), parsed.GetValue(lines), parsed.GetValue(follow), cancellationToken));
    }

    static string LogOf(CliContext context, string program) => program switch
    {
        "broker" => context.Layout.BrokerLog,
        "postgres" => context.Layout.PostgresLog,
        "demo-model" => context.Layout.DemoModelLog,
        _ => context.Layout.ServerLog,
    };

    static async Task<int> Show(CliContext context, string log, int lines, bool follow, CancellationToken cancellationToken)
    {
        if (!File.Exists(log) && !follow)
            throw new CliError(ExitCode.Unavailable, $"There is no log at {log}.", "That program has not run in this home.", "centaur up");

        var end = LogTail.End(log);
        foreach (var line in LogTail.Read(log, lines))
            context.Terminal.Answer(line);
        while (follow)
        {
            await Task.Delay(200, cancellationToken);
            var now = LogTail.End(log);
            if (now == end)
                continue;

            // A shorter file is a new one.
            foreach (var line in LogTail.ReadLines(log, now < end ? 0 : end, out end))
                context.Terminal.Answer(line);
        }

        return ExitCode.Ok;
    }
}
