using System.Globalization;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>Makes the folders of a home with the owners and modes that <see cref="HostLayout"/> promises.</summary>
internal sealed class HostFolders(CliContext context)
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const UnixFileMode Passage = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    readonly HostLayout layout = context.Layout;

    UnixFileMode Outer => context.IsRoot ? Passage : Private;

    public void MakeAll()
    {
        try
        {
            MakeHome();
            MakeRuntime();
            foreach (var folder in new[] { layout.LogsFolder, layout.SandboxesFolder, layout.UploadsFolder })
                Make(folder, Private);
            foreach (var folder in new[] { layout.ThreadsFolder, layout.HarnessesFolder, layout.SandboxesRuntime })
                Make(folder, Outer);
            MakeForBroker(layout.SecretsFolder);
            MakeForBroker(layout.BrokerFolder);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CliError(
                ExitCode.Prerequisite, $"The folders of Centaur cannot be made: {refused.Message}", $"The home is {layout.Home}, sockets go to {layout.Runtime}.",
                "Set CENTAUR_HOME to a folder that you may write.");
        }
    }

    public void MakeHome() => Make(layout.Home, Outer);

    public void MakeForBroker(string folder)
    {
        Make(folder, Private);
        if (context.IsRoot)
            Native.SetOwner(folder, HostLayout.BrokerUid, HostLayout.BrokerUid);
    }

    public async Task MakeForPostgres(string folder, CancellationToken cancellationToken)
    {
        Make(folder, Private);
        await GiveToPostgres(folder, cancellationToken);
    }

    public async Task GiveToPostgres(string path, CancellationToken cancellationToken)
    {
        if (!context.IsRoot)
            return;
        var (uid, gid) = await PostgresUser(cancellationToken);
        Native.SetOwner(path, uid, gid);
    }

    /// <summary>
    /// Somebody else could have made our folder in <c>/tmp</c> before us and would own our sockets; such a folder is refused.
    /// </summary>
    void MakeRuntime()
    {
        var parent = Path.GetDirectoryName(layout.Runtime)!;
        Make(parent, Outer);
        if (new DirectoryInfo(parent).LinkTarget is not null)
            throw new IOException($"{parent} is a link.");
        Make(layout.Runtime, Outer);
    }

    /// <summary>Removes the folders of sockets in which nothing is left, and their own folder with the last of them. The caller knows that no server runs, which would miss them.</summary>
    public void RemoveEmptyRuntime()
    {
        foreach (var folder in new[] { layout.PostgresSocketFolder, layout.BrokerFolder, layout.SandboxesRuntime, layout.Runtime })
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    /// <summary>Setting the mode fails where the folder is somebody else's, which is what tells.</summary>
    static void Make(string folder, UnixFileMode mode)
    {
        Directory.CreateDirectory(folder, mode);
        if (File.GetUnixFileMode(folder) != mode)
            File.SetUnixFileMode(folder, mode);
    }

    static async Task<(uint Uid, uint Gid)> PostgresUser(CancellationToken cancellationToken)
    {
        var uid = await ProcessRun.Of(new ProcessCommand("id", "-u", HostLayout.PostgresUser), cancellationToken);
        var gid = await ProcessRun.Of(new ProcessCommand("id", "-g", HostLayout.PostgresUser), cancellationToken);
        if (!uid.Succeeded || !gid.Succeeded)
        {
            throw new CliError(
                ExitCode.Prerequisite, $"There is no user {HostLayout.PostgresUser}.", "Postgres does not run as root, so root starts it under that user.",
                $"useradd --system {HostLayout.PostgresUser}");
        }

        return (uint.Parse(uid.Output.Trim(), CultureInfo.InvariantCulture), uint.Parse(gid.Output.Trim(), CultureInfo.InvariantCulture));
    }
}
