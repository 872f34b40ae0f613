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
        var lines = Shared.Number("--lines", "n", "Begin with so many of the last lines.", 100, 0, 100_000, "-n");
        var json = Shared.Json("Print the lines as they are in the file; the server's are JSON.");
        return new Verb("logs", "Print the end of a program's log.", "centaur logs", "centaur logs postgres -f", "centaur logs --json | jq -r .Message")
            .With(program, follow, lines, json)
            .Does((parsed, cancellationToken) => Show(context, LogOf(context, parsed.GetValue(program)!), (int)parsed.GetValue(lines), parsed.GetValue(follow), parsed.GetValue(json), cancellationToken));
    }

    static string LogOf(CliContext context, string program) => program switch
    {
        "broker" => context.Layout.BrokerLog,
        "postgres" => context.Layout.PostgresLog,
        "demo-model" => context.Layout.DemoModelLog,
        _ => context.Layout.ServerLog,
    };

    static async Task<int> Show(CliContext context, string log, int lines, bool follow, bool json, CancellationToken cancellationToken)
    {
        if (!File.Exists(log) && !follow)
            throw new CliError(ExitCode.Unavailable, $"There is no log at {log}.", "That program has not run in this home.", "centaur up");

        var end = LogTail.End(log);
        foreach (var line in LogTail.Read(log, lines))
            context.Terminal.Answer(json ? line : LogLine.WithTime(line));
        while (follow)
        {
            await Task.Delay(200, cancellationToken);
            var now = LogTail.End(log);
            if (now == end)
                continue;

            // A shorter file is a new one.
            foreach (var line in LogTail.ReadLines(log, now < end ? 0 : end, out end))
                context.Terminal.Answer(json ? line : LogLine.WithTime(line));
        }

        return ExitCode.Ok;
    }
}
