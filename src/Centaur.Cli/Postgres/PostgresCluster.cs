using System.Globalization;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Postgres;

/// <summary>
/// The data folder of the embedded Postgres, made once:
/// <list type="number">
/// <item>everything is built in <c>postgres.new</c>: initdb, the role, the database, the settings;</item>
/// <item>one rename makes it <c>postgres</c>. So a folder of that name is always whole, and whatever was interrupted is thrown away and done again.</item>
/// </list>
/// </summary>
internal sealed class PostgresCluster(CliContext context)
{
    readonly HostLayout layout = context.Layout;

    string Unfinished => layout.PostgresData + ".new";

    /// <summary>The version that made the data, or null when there is none yet.</summary>
    public int? Major =>
        File.Exists(Path.Combine(layout.PostgresData, "PG_VERSION"))
            ? int.Parse(File.ReadAllText(Path.Combine(layout.PostgresData, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture)
            : null;

    /// <summary>Where root starts Postgres, it runs under a user of its own; it refuses to run as root.</summary>
    public ProcessCommand Command(string program, params IReadOnlyList<string> arguments)
    {
        var command = new ProcessCommand(program, arguments) { Environment = CleanEnvironment };
        return context.IsRoot ? command.As(HostLayout.PostgresUser) : command;
    }

    Dictionary<string, string> CleanEnvironment => new(StringComparer.Ordinal)
    {
        ["PATH"] = context.Variable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        ["LC_ALL"] = "C.UTF-8",
        ["TZ"] = "UTC",
    };

    public async Task EnsureMade(PostgresBinaries binaries, HostFolders folders, CancellationToken cancellationToken)
    {
        if (Major is not null)
        {
            PostgresSettings.Write(layout.PostgresData, layout, await UserName(cancellationToken));
            return;
        }

        PutAsideWhatIsNotACluster();
        if (Directory.Exists(Unfinished))
            Directory.Delete(Unfinished, recursive: true);

        context.Terminal.Note($"Making the database (Postgres {binaries.Major}, once) …");
        await folders.MakeForPostgres(Unfinished, cancellationToken);
        await MustReach(Unfinished, cancellationToken);

        // 1
        var made = await ProcessRun.Of(
            Command(
                binaries.InitDb, "-D", Unfinished, "-U", HostLayout.DatabaseName, "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8",
                "--locale=C.UTF-8", "--data-checksums", "--no-instructions", "--no-sync"),
            cancellationToken);
        if (!made.Succeeded)
            throw Failed("initdb failed.", made);

        // A server without listeners, for one statement; it ends when its input does.
        var created = await ProcessRun.Of(
            Command(binaries.Postgres, "--single", "-D", Unfinished, "template1"), cancellationToken, $"CREATE DATABASE {HostLayout.DatabaseName}\n");
        if (!created.Succeeded || created.Error.Contains("ERROR:", StringComparison.Ordinal))
            throw Failed("The database could not be created.", created);

        await File.AppendAllTextAsync(Path.Combine(Unfinished, "postgresql.conf"), $"\ninclude = '{PostgresSettings.FileName}'\n", cancellationToken);
        PostgresSettings.Write(Unfinished, layout, await UserName(cancellationToken));
        await folders.GiveToPostgres(Path.Combine(Unfinished, PostgresSettings.FileName), cancellationToken);

        // One flush for all of its thousand files instead of one for each.
        await ProcessRun.Of(new ProcessCommand("sync", "--file-system", Unfinished), cancellationToken);

        // 2
        Directory.Move(Unfinished, layout.PostgresData);
    }

    void PutAsideWhatIsNotACluster()
    {
        if (!Directory.Exists(layout.PostgresData))
            return;
        if (!Directory.EnumerateFileSystemEntries(layout.PostgresData).Any())
        {
            Directory.Delete(layout.PostgresData);
            return;
        }

        var aside = $"{layout.PostgresData}.aside-{context.Time.GetUtcNow().ToUnixTimeMilliseconds()}";
        Directory.Move(layout.PostgresData, aside);
        context.Terminal.Note($"{layout.PostgresData} held no whole database (no PG_VERSION); it is kept as {aside} and a new one is made.");
    }

    async Task MustReach(string folder, CancellationToken cancellationToken)
    {
        var reach = await ProcessRun.Of(Command("test", "-w", folder), cancellationToken);
        if (reach.Succeeded)
            return;
        throw new CliError(
            ExitCode.Prerequisite,
            context.IsRoot ? $"The user {HostLayout.PostgresUser} cannot reach {folder}." : $"{folder} cannot be written.",
            context.IsRoot ? "Postgres does not run as root, and a folder above is closed to others, or that user does not exist." : null,
            context.IsRoot ? "Set CENTAUR_HOME to a folder below one that others may enter, for example /var/lib/centaur; with the package postgresql comes the user." : null);
    }

    /// <summary>The name that the kernel's peer credentials of the server resolve to.</summary>
    async Task<string> UserName(CancellationToken cancellationToken)
    {
        if (context.IsRoot)
            return "root";
        var name = await ProcessRun.Of(new ProcessCommand("id", "-un"), cancellationToken);
        return name.Succeeded
            ? name.Output.Trim()
            : throw new CliError(ExitCode.Prerequisite, $"The user with uid {context.Uid} has no name.", "Postgres knows its peers by name.", "Give the user an entry in /etc/passwd.");
    }

    CliError Failed(string what, ProcessRun run) =>
        new(ExitCode.Prerequisite, what, "Nothing was kept; the next start begins anew.", $"See that {layout.Home} has free space and can be written, then try again.") { Evidence = run.Tail() };
}
