using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Doctor;
using Centaur.Cli.Output;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur doctor</c>.</summary>
internal static class DoctorVerb
{
    public static Verb Build(CliContext context)
    {
        var json = Shared.Json();
        return new Verb("doctor", "Look at this machine and this home, and say what each finding means.", "centaur doctor", "centaur doctor --json | jq '.checks[] | select(.state != \"ok\")'")
        {
            Remark = "Exit code 1 when something needed does not work. Never prints a secret.",
        }.With(json).Does((parsed, cancellationToken) => Run(context, parsed.GetValue(json), cancellationToken));
    }

    static async Task<int> Run(CliContext context, bool json, CancellationToken cancellationToken)
    {
        List<Check> checks =
        [
            .. await ProgramChecks.Run(context, cancellationToken),
            .. MachineChecks.Run(context),
            .. await HomeChecks.Run(context, cancellationToken),
        ];
        var healthy = checks.TrueForAll(check => check.State != CheckState.Bad);
        if (json)
        {
            var report = new DoctorReport(healthy, context.Layout.Home, context.IsRoot ? "root" : "ordinary", checks);
            context.Terminal.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.DoctorReport));
        }
        else
        {
            TextTable.Write(
                context.Terminal, ["", "check", "found", "meaning", "to do"],
                checks.Select(check => (string[])[check.State == CheckState.Ok ? "" : check.State, check.Name, check.Found, check.Meaning ?? "", check.Remedy ?? ""]));
        }

        return healthy ? ExitCode.Ok : ExitCode.Failed;
    }
}
