using System.Globalization;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;
using Centaur.Cli.Stack;

namespace Centaur.Cli.Commands;

/// <summary>
/// What <c>status --json</c> prints; <c>configuration_changed</c> is true where the file is newer than the server that runs, <c>egress_warnings</c> is missing where no server could be asked.
/// </summary>
internal sealed record StatusReport(
    string Home, string Runtime, bool Up, string? Api, string? Version, bool ConfigurationChanged, IReadOnlyList<EgressWarningShape>? EgressWarnings, IReadOnlyList<ProgramStatus> Programs);

/// <param name="Name">The program.</param>
/// <param name="State"><c>running</c>, <c>stopped</c> or <c>external</c>.</param>
/// <param name="Pid">Its process, when it runs here.</param>
/// <param name="Detail">Where it listens, or how many there are.</param>
internal sealed record ProgramStatus(string Name, string State, int? Pid, string? Detail);

/// <summary><c>centaur status</c>.</summary>
internal static class StatusVerb
{
    public static Verb Build(CliContext context)
    {
        var json = Shared.Json();
        return new Verb("status", "Show what runs; exit code 4 when Centaur is not up.", "centaur status", "centaur status --json | jq .api")
            .With(json)
            .Does((parsed, cancellationToken) => Show(context, parsed.GetValue(json), cancellationToken));
    }

    static async Task<int> Show(CliContext context, bool json, CancellationToken cancellationToken)
    {
        var report = Report(context, await EgressAdvice.Ask(context, cancellationToken));
        if (json)
        {
            context.Terminal.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.StatusReport));
        }
        else
        {
            context.Terminal.Out.WriteLine(report.Up ? $"Centaur {report.Version} is up at {report.Api}" : "Centaur is not up.");
            TextTable.Write(
                context.Terminal, ["program", "state", "pid", ""],
                report.Programs.Select(program => (string[])[program.Name, program.State, program.Pid?.ToString(CultureInfo.InvariantCulture) ?? "", program.Detail ?? ""]));
            context.Terminal.Out.WriteLine($"home {report.Home}");
            if (report.ConfigurationChanged)
                context.Terminal.Out.WriteLine(new ServerProcess(context).Outdated);
            if (report.EgressWarnings is { Count: > 0 } warnings)
                context.Terminal.Out.WriteLine($"egress is wider than it need be ({string.Join("; ", warnings.Select(warning => warning.Place).Distinct())}): centaur doctor says how");
        }

        return report.Up ? ExitCode.Ok : ExitCode.Unavailable;
    }

    static StatusReport Report(CliContext context, IReadOnlyList<EgressWarningShape>? warnings)
    {
        var stack = new LocalStack(context);
        var server = stack.Server.Running();
        var state = stack.Server.State();
        var broker = stack.Broker.Running();
        var postgres = stack.UsesEmbeddedPostgres ? stack.Postgres.Running() : null;
        var demo = stack.DemoModel.Running();
        var sandboxes = stack.Sandboxes.Running();
        return new StatusReport(
            context.Layout.Home, context.Layout.Runtime, state is not null && broker is not null && (postgres is not null || !stack.UsesEmbeddedPostgres), state?.Api, state?.Version,
            stack.Server.IsOutdated, warnings,
            [
                stack.UsesEmbeddedPostgres
                    ? Program("postgres", postgres?.Pid, postgres is null ? null : stack.Postgres.SocketFolder())
                    : new ProgramStatus("postgres", "external", null, "DATABASE_URL"),
                Program("broker", broker?.Pid, null),
                Program("server", server?.Pid, state?.Api ?? (server is null ? null : "starting")),
                Program("demo model", demo?.Process.Pid, demo?.BaseUrl),
                new ProgramStatus("sandboxes", sandboxes.Count > 0 ? "running" : "none", null, sandboxes.Count > 0 ? $"{sandboxes.Count} of them" : null),
            ]);
    }

    static ProgramStatus Program(string name, int? pid, string? detail) => new(name, pid is null ? "stopped" : "running", pid, detail);
}
