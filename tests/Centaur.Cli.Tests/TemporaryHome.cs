using System.Security.Cryptography;
using Centaur.Cli.Output;
using Centaur.Cli.Postgres;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Tests;

/// <summary>A home of its own for one test, with everything that was started in it ended and every folder removed at the end.</summary>
public sealed class TemporaryHome : IAsyncDisposable
{
    readonly RecordingWriter output;
    readonly RecordingWriter error;

    public TemporaryHome(IReadOnlyDictionary<string, string>? variables = null, string input = "", string? dist = null)
    {
        (output, error) = (new RecordingWriter(), new RecordingWriter());
        var home = $"/tmp/ct-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin",
            ["HOME"] = home,
            ["CENTAUR_HOME"] = home,
        };
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            all[name] = value;

        var uid = Native.EffectiveUid();
        Context = new CliContext
        {
            Layout = HostLayout.Find(all.GetValueOrDefault, uid),
            Terminal = new Terminal(output, error, new StringReader(input), inputIsTerminal: false, outputIsTerminal: false),
            Programs = new ProgramPaths(dist ?? Path.Combine(home, "no-dist")),
            Variables = all,
            Uid = uid,
        };
        Folders = new HostFolders(Context);
    }

    TemporaryHome(TemporaryHome same, CliContext context) => (output, error, Context, Folders) = (same.output, same.error, context, new HostFolders(context));

    /// <summary>The same home for a shell in which one variable is set as well.</summary>
    public TemporaryHome With(string variable, string value) =>
        new(this, Context with { Variables = new Dictionary<string, string>(Context.Variables, StringComparer.Ordinal) { [variable] = value } });

    /// <summary>The same home for a command with this on its standard input.</summary>
    public TemporaryHome WithInput(string input) =>
        new(this, Context with { Terminal = new Terminal(output, error, new StringReader(input), inputIsTerminal: false, outputIsTerminal: false) });

    /// <summary>Writes the configuration file.</summary>
    public void Configure(string yaml)
    {
        Folders.MakeHome();
        File.WriteAllText(Context.Layout.ConfigFile, yaml);
    }

    internal CliContext Context { get; }
    internal HostFolders Folders { get; }
    internal PostgresProcess Postgres => new(Context);

    /// <summary>What went to standard output.</summary>
    public string Output => output.ToString();

    /// <summary>What went to standard error.</summary>
    public string Error => error.ToString();

    public async ValueTask DisposeAsync()
    {
        await new LocalStack(Context).DownAll(CancellationToken.None);
        foreach (var folder in new[] { Context.Layout.Home, Context.Layout.Runtime })
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
