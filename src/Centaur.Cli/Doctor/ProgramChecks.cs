using Centaur.Cli.Postgres;
using Centaur.Cli.Processes;
using Centaur.Cli.Stack;

namespace Centaur.Cli.Doctor;

/// <summary>The programs that Centaur needs from the system.</summary>
internal static class ProgramChecks
{
    static readonly Version OldestBubblewrap = new(0, 8);

    public static async Task<IReadOnlyList<Check>> Run(CliContext context, CancellationToken cancellationToken) =>
    [
        await Postgres(context, cancellationToken),
        await Bubblewrap(cancellationToken),
        await Present("git", "git", ["--version"], "Repositories cannot be handed over.", cancellationToken),
        await Present("python3", "/usr/bin/python3", ["--version"], "Agents find no Python.", cancellationToken, "/usr/bin is what a jail sees."),
        await Optional("node", ["--version"], "Agents find no Node, and harness CLIs cannot be installed.", cancellationToken),
        await Optional("npm", ["--version"], "Harness CLIs cannot be installed; the built-in harness works.", cancellationToken),
        await Present("setsid", "setsid", ["--version"], "Nothing can be started in a session of its own.", cancellationToken),
        await Present("setpriv", "setpriv", ["--version"], "Root cannot start Postgres and jails under users of their own.", cancellationToken),
        await FileSystemTool(context, cancellationToken),
        Harnesses(context),
    ];

    static async Task<Check> Postgres(CliContext context, CancellationToken cancellationToken)
    {
        if (context.Variable("DATABASE_URL") is not null)
            return await Elsewhere(context, cancellationToken);
        var all = await PostgresBinaries.All(context, cancellationToken);
        return all.Count > 0 && all[0].Major >= PostgresBinaries.OldestMajor
            ? Check.Ok("postgres", $"{all[0].Major} in {all[0].Folder}")
            : Check.Bad(
                "postgres", all.Count == 0 ? "no server binaries" : $"only {all[0].Major}", $"The embedded database needs Postgres {PostgresBinaries.OldestMajor} or newer.",
                "Install the package postgresql, or set DATABASE_URL.");
    }

    /// <summary>The server tries it, with the driver that it will use.</summary>
    static async Task<Check> Elsewhere(CliContext context, CancellationToken cancellationToken)
    {
        if (!File.Exists(context.RunFrom.Server))
            return Check.Weak("postgres", "DATABASE_URL, not tried", "The server is not built.");
        var run = await new ServerProcess(context).Check("--check-database", cancellationToken);
        if (!run.Succeeded)
            return Check.Bad("postgres", $"DATABASE_URL: {string.Join(' ', run.Tail(3))}", "The server would wait for its database.", "Correct DATABASE_URL, or unset it to use the embedded Postgres.");
        return Version.TryParse(run.Output.Trim().Split(' ')[^1], out var version) && version.Major < PostgresBinaries.OldestMajor
            ? Check.Bad("postgres", $"DATABASE_URL: {run.Output.Trim()}", $"Centaur needs Postgres {PostgresBinaries.OldestMajor} or newer.", "Upgrade it, or unset DATABASE_URL to use the embedded Postgres.")
            : Check.Ok("postgres", $"DATABASE_URL: {run.Output.Trim()}", "It takes our connection.");
    }

    static async Task<Check> Bubblewrap(CancellationToken cancellationToken)
    {
        var run = await ProcessRun.Of(new ProcessCommand("bwrap", "--version"), cancellationToken);
        if (!run.Succeeded || !Version.TryParse(run.Output.Trim().Split(' ')[^1], out var version))
            return Check.Bad("bubblewrap", "missing", "There is no jail without it.", "Install the package bubblewrap.");
        if (version < OldestBubblewrap)
            return Check.Bad("bubblewrap", version.ToString(), $"Versions before {OldestBubblewrap} cannot forbid nested user namespaces.", "Upgrade the package bubblewrap.");

        var jailed = await ProcessRun.Of(
            new ProcessCommand("bwrap", "--unshare-user", "--unshare-all", "--disable-userns", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--", "true"),
            cancellationToken);
        return jailed.Succeeded
            ? Check.Ok("bubblewrap", $"{version}, a jail was made")
            : Check.Bad(
                "bubblewrap", $"{version}, but no jail can be made: {string.Join(' ', jailed.Tail(1))}", "User namespaces are switched off, or this is a container that forbids them.",
                "sysctl -w user.max_user_namespaces=65536; on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0");
    }

    static async Task<Check> FileSystemTool(CliContext context, CancellationToken cancellationToken)
    {
        if (!context.IsRoot)
            return Check.Ok("mkfs.ext4", "not needed", "An ordinary user's workspaces share the disk.");
        var run = await ProcessRun.Of(new ProcessCommand("mkfs.ext4", "-V"), cancellationToken);
        return run.Succeeded
            ? Check.Ok("mkfs.ext4", run.Error.Split('\n')[0])
            : Check.Bad("mkfs.ext4", "missing", "A workspace cannot have a size limit of its own.", "Install the package e2fsprogs.");
    }

    static Check Harnesses(CliContext context)
    {
        var folder = context.Layout.HarnessesFolder;
        var installed = Directory.Exists(folder)
            ? Directory.EnumerateDirectories(folder).SelectMany(Directory.EnumerateDirectories)
                .Select(version => $"{Path.GetFileName(Path.GetDirectoryName(version))} {Path.GetFileName(version)}").Order(StringComparer.Ordinal).ToList()
            : [];
        return Check.Ok("harnesses", installed.Count == 0 ? "built-in" : $"built-in, {string.Join(", ", installed)}", installed.Count == 0 ? "Others are installed at their first use." : null);
    }

    static async Task<Check> Present(
        string name, string program, IReadOnlyList<string> arguments, string meaning, CancellationToken cancellationToken, string? remark = null)
    {
        var run = await ProcessRun.Of(new ProcessCommand(program, arguments), cancellationToken);
        return run.Succeeded ? Check.Ok(name, run.Tail(1)[0], remark) : Check.Bad(name, "missing", meaning, $"Install {name}.");
    }

    static async Task<Check> Optional(string program, IReadOnlyList<string> arguments, string meaning, CancellationToken cancellationToken)
    {
        var run = await ProcessRun.Of(new ProcessCommand(program, arguments), cancellationToken);
        return run.Succeeded ? Check.Ok(program, run.Tail(1)[0]) : Check.Weak(program, "missing", meaning, $"Install {program}.");
    }
}
