using Centaur.Protocol.Host;
using Centaur.Server.Platform.Configuration;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Server.Sandboxes.Local;

/// <summary>
/// The audit files on this host: of the sandboxes that live here, and of those that are gone, whose file stays until all of it is stored elsewhere. The keepers make them; only
/// this host's servers read them.
/// </summary>
internal sealed class SandboxAudits(HostIdentity host)
{
    readonly HostLayout layout = host.Layout;

    /// <summary>The sandboxes of which there is an audit file, and its length.</summary>
    public IReadOnlyList<(string SandboxId, long Bytes)> Found() =>
        Directory.Exists(layout.SandboxesFolder)
            ? [.. from folder in Directory.EnumerateDirectories(layout.SandboxesFolder, "sbx-*")
                  let sandboxId = Path.GetFileName(folder)
                  let file = new FileInfo(PathOf(sandboxId))
                  where file.Exists
                  select (sandboxId, file.Length)]
            : [];

    public string PathOf(string sandboxId) => layout.AuditFile(sandboxId);

    public SafeFileHandle Open(string sandboxId) => File.OpenHandle(PathOf(sandboxId), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Removes the file, and its folder where nothing else is in it.</summary>
    public void Remove(string sandboxId)
    {
        var file = PathOf(sandboxId);
        File.Delete(file);
        var folder = Path.GetDirectoryName(file)!;
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
    }
}
