using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep.Home;

/// <summary>
/// The agent's home. As root an ext4 image of a fixed size, mounted by loop device, so that a sandbox that fills its disk or uses up its inodes fills and uses up
/// its own; otherwise a plain folder.
/// <para>1. An image that does not exist is made under another name and renamed: a keeper that dies in the middle leaves no half image.</para>
/// <para>2. An image that a dead keeper left mounted is used as it is mounted.</para>
/// <para>3. Any other image is checked before it is mounted: it has no journal.</para>
/// <para>4. The owner of every file becomes this jail's user; nothing runs there yet that could put a link in the way.</para>
/// </summary>
internal sealed class HomeFolder(SandboxSpec spec, Children children)
{
    const long BytesPerInode = 16 * 1024;
    const long FewestInodes = 1024;
    const int CorrectedExit = 1;
    const int ProbeBytes = 1 << 20;

    public async Task Prepare()
    {
        Directory.CreateDirectory(spec.HomeFolder, KeeperFolders.Private);
        if (spec.HomeImage is { } image && !IsMounted())
        {
            if (File.Exists(image))
                await Check(image);
            else
                await Make(image);
            await children.Run("/bin/mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime", image, spec.HomeFolder);
        }

        if (spec.JailUid is { } uid)
            await children.Run("/bin/sh", "-c", OwnerScript, "own", spec.HomeFolder, $"{uid}");
    }

    /// <summary>The jail must be gone.</summary>
    public async Task Release()
    {
        if (spec.HomeImage is not null && IsMounted())
            await children.Run("/bin/umount", spec.HomeFolder);
    }

    const string OwnerScript = """[ "$(stat -c %u:%g "$1")" = "$2:$2" ] || chown -R -h -P "$2:$2" "$1"; chmod 0700 "$1" """;

    async Task Make(string image)
    {
        var fresh = $"{image}.new";
        Directory.CreateDirectory(Path.GetDirectoryName(image)!, KeeperFolders.Private);
        await using (var file = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = KeeperFolders.PrivateFile }))
            file.SetLength(spec.Limits.HomeBytes);
        var inodes = Math.Max(FewestInodes, spec.Limits.HomeBytes / BytesPerInode);
        try
        {
            await children.Run(
                "/sbin/mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-N", $"{inodes}", "-E", $"lazy_itable_init=1,root_owner={spec.JailUid ?? 0}:{spec.JailUid ?? 0}", fresh);
        }
        catch (IOException)
        {
            await Probe(fresh);
            throw;
        }

        File.Move(fresh, image);
    }

    /// <summary>mkfs only says that it failed: while what it wrote is still there, a file of our own hears why. Neither stays.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    static async Task Probe(string unfinished)
    {
        var probe = $"{unfinished}.probe";
        try
        {
            await File.WriteAllBytesAsync(probe, new byte[ProbeBytes]);
        }
        finally
        {
            File.Delete(probe);
            File.Delete(unfinished);
        }
    }

    async Task Check(string image)
    {
        var check = await children.Start(new SpawnRequest { Arguments = ["/sbin/e2fsck", "-p", image], Environment = Children.SystemEnvironment });
        var status = await check.Exited;
        if (status.ExitCode is not (0 or CorrectedExit))
            throw new IOException($"The home image {image} is damaged beyond what e2fsck repairs by itself.");
    }

    bool IsMounted()
    {
        const int MountPoint = 4;
        var path = Path.GetFullPath(spec.HomeFolder).Replace(" ", "\\040", StringComparison.Ordinal);
        return File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ')[MountPoint] == path);
    }
}
