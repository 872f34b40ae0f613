using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep;

/// <summary>Where a keeper's files stand, and who may reach them.</summary>
internal sealed class KeeperFolders(SandboxSpec spec)
{
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode PublicFile = PrivateFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    public const UnixFileMode PublicFolder = Public;
    public const UnixFileMode Public =
        Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    const UnixFileMode Traversable = Private | UnixFileMode.GroupExecute;
    const UnixFileMode GroupSocket = PrivateFile | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    public string Journal => $"{spec.StateFolder}/journal";
    public string Audit => $"{spec.StateFolder}/{HostLayout.AuditFileName}";
    public string HarnessLog => $"{spec.StateFolder}/harness.log";
    public string Attach => $"{spec.RuntimeFolder}/attach.sock";
    public string Sockets => $"{spec.RuntimeFolder}/jail";
    public string Etc => $"{spec.RuntimeFolder}/etc";
    public string ProxySocket => $"{Sockets}/proxy.sock";
    public string PostgresSocket => $"{Sockets}/postgres.sock";
    public string ApiSocket => $"{Sockets}/api.sock";

    /// <summary>Makes the state folder, which only the keeper's user may enter.</summary>
    public void MakeState()
    {
        Directory.CreateDirectory(spec.StateFolder, Private);
        Directory.CreateDirectory(Journal, Private);
    }

    /// <summary>Makes the runtime folder. The jail's user reaches its sockets and its files through its group, and no other jail's user does.</summary>
    public void MakeRuntime()
    {
        Directory.CreateDirectory(spec.RuntimeFolder, Private);
        Directory.CreateDirectory(Sockets, Private);
        Directory.CreateDirectory(Etc, Public);
        foreach (var folder in (string[])[spec.RuntimeFolder, Sockets])
        {
            GiveToJail(folder);
            File.SetUnixFileMode(folder, Traversable | (folder == Sockets ? UnixFileMode.GroupRead : UnixFileMode.None));
        }
    }

    /// <summary>Lets the jail's user connect to a socket that stands in <see cref="Sockets"/>.</summary>
    public void OpenToJail(string socket)
    {
        GiveToJail(socket);
        File.SetUnixFileMode(socket, GroupSocket);
    }

    /// <summary>Removes the sockets, so that a client is told at once that nobody is there.</summary>
    public void RemoveRuntime()
    {
        if (Directory.Exists(spec.RuntimeFolder))
            Directory.Delete(spec.RuntimeFolder, recursive: true);
    }

    void GiveToJail(string path)
    {
        if (spec.JailUid is { } uid)
            Libc.Check(Libc.lchown(path, Libc.geteuid(), (uint)uid), $"Give {path} to the jail's group");
    }
}
