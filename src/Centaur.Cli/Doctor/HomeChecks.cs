using Centaur.Cli.Api;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Doctor;

/// <summary>This home: its folders, keys and programs, and whether the configuration is valid.</summary>
internal static class HomeChecks
{
    const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static async Task<IReadOnlyList<Check>> Run(CliContext context, CancellationToken cancellationToken) =>
    [
        Running(context),
        Private("first admin key", context.Layout.BootstrapKeyFile),
        Private("signing key", context.Layout.SigningKeyFile),
        Secrets(context),
        Variables(context),
        .. await Start(context, cancellationToken),
        .. await Egress(context, cancellationToken),
    ];

    static Check Running(CliContext context)
    {
        var stack = new LocalStack(context);
        return stack.StateWhenUp() is { } state
            ? Check.Ok("centaur", $"up at {state.Api}, version {state.Version}")
            : Check.Ok("centaur", "not up", "`centaur up` starts it; so does the first `centaur ask`.");
    }

    static Check Private(string name, string file)
    {
        if (!File.Exists(file))
            return Check.Ok(name, "not made yet", "The server makes it at its first start.");
        return (File.GetUnixFileMode(file) & Others) == UnixFileMode.None
            ? Check.Ok(name, "0600")
            : Check.Bad(name, "others may read it", "Whoever reads it rules this Centaur.", $"chmod 600 {file}");
    }

    static Check Secrets(CliContext context)
    {
        var folder = context.Layout.SecretsFolder;
        if (!Directory.Exists(folder))
            return Check.Ok("secrets", "none yet");
        if ((File.GetUnixFileMode(folder) & Others) != UnixFileMode.None)
            return Check.Bad("secrets", "others may enter their folder", "Values could be read.", $"chmod 700 {folder}");
        var open = Directory.EnumerateFiles(folder).FirstOrDefault(file => (File.GetUnixFileMode(file) & Others) != UnixFileMode.None);
        if (open is not null)
            return Check.Bad("secrets", $"others may read {Path.GetFileName(open)}", "Its value could be read.", $"chmod 600 {open}");
        return Check.Ok("secrets", $"{Directory.EnumerateFiles(folder).Count()} values, for the broker alone");
    }

    static Check Variables(CliContext context)
    {
        var set = context.Variables.Keys.Where(name => name.StartsWith(KnownVariables.Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        var names = string.Join(", ", set);
        return Check.Ok("variables", names.Length == 0 ? "no CENTAUR_* is set" : $"{names} set");
    }

    static async Task<IReadOnlyList<Check>> Egress(CliContext context, CancellationToken cancellationToken) =>
        await EgressAdvice.Ask(context, cancellationToken) switch
        {
            null => [Check.Ok("egress", "not looked at", "Only a running server knows what is allowed.")],
            [] => [Check.Ok("egress", "no wider than it need be")],
            var warnings => [.. warnings.Select(warning => Check.Weak("egress", warning.Place, warning.Meaning, warning.Remedy))],
        };

    /// <summary>While the server runs, its addresses are its own.</summary>
    static async Task<IReadOnlyList<Check>> Start(CliContext context, CancellationToken cancellationToken)
    {
        var file = context.ConfigFile;
        if (!File.Exists(context.RunFrom.Server))
            return [Check.Ok("configuration", $"{file}, not checked", "The server is not built.")];
        var server = new ServerProcess(context);
        var run = await server.Check(server.Running() is null ? "--check-start" : "--check-config", cancellationToken);
        if (run.ExitCode == ServerProcess.WrongConfiguration)
            return [Check.Bad("configuration", string.Join(' ', run.Tail(3)), "The server would not start.", $"Correct {file}.")];
        return
        [
            server.IsOutdated ? Check.Weak("configuration", file, "It has changed since the server started.", "centaur down && centaur up") : Check.Ok("configuration", File.Exists(file) ? file : "defaults"),
            run.Succeeded
                ? Check.Ok("addresses", server.Running() is null ? "free" : "the server's")
                : Check.Bad("addresses", string.Join(' ', run.Tail(3)), "The server would not start.", $"Choose another address under listen: in {file}."),
        ];
    }
}
