using System.Collections;
using Centaur.Cli.Output;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli;

/// <summary>What every verb is given: the home it works on, the terminal it talks to, the programs beside it. The environment is read here and nowhere else.</summary>
internal sealed record CliContext
{
    public required HostLayout Layout { get; init; }
    public required Terminal Terminal { get; init; }
    public required ProgramPaths Programs { get; init; }
    public required IReadOnlyDictionary<string, string> Variables { get; init; }
    public required uint Uid { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What Ctrl-C does to this command; null where nobody but the caller's token interrupts it.</summary>
    public Interruption? Interruption { get; init; }

    /// <summary>Where the programs are started from; see <see cref="ProgramInstall"/>.</summary>
    public ProgramPaths RunFrom => ProgramInstall.Place(this);

    public bool IsRoot => Uid == 0;

    /// <summary>The configuration file; it need not exist.</summary>
    public string ConfigFile => Variable("CENTAUR_CONFIG") ?? Layout.ConfigFile;

    public string? Variable(string name) => Variables.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public static CliContext OfThisProcess()
    {
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
        var uid = Native.EffectiveUid();
        return new CliContext
        {
            Variables = variables,
            Uid = uid,
            Layout = HostLayout.Find(variables.GetValueOrDefault, uid),
            Terminal = Terminal.OfThisProcess(),
            Programs = ProgramPaths.BesideThis(AppContext.BaseDirectory),
        };
    }
}
