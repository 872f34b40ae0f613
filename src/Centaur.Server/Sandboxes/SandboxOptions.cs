using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Sandboxes;

/// <summary>What each sandbox of this host may use, and what it sees.</summary>
/// <param name="Limits">Enforced by cgroups and the home's image.</param>
/// <param name="Toolchain">Read-only folders of the host besides <c>/usr</c>.</param>
/// <param name="FirstUid">As root: the first of the uids that sandboxes get.</param>
public sealed record SandboxOptions(SandboxLimits Limits, IReadOnlyList<ToolchainMount> Toolchain, int FirstUid)
{
    public static SandboxOptions Read(Settings settings)
    {
        var section = settings.Root.Section("sandbox");
        var standard = new SandboxLimits();
        return new SandboxOptions(
            new SandboxLimits
            {
                MemoryBytes = section.Bytes("memory", standard.MemoryBytes, 64L << 20),
                Processes = section.Number("processes", standard.Processes, 16, 1_000_000),
                Cpus = section.Decimal("cpus", standard.Cpus, 0.05, 1024),
                HomeBytes = section.Bytes("home_size", standard.HomeBytes, 64L << 20),
                TmpBytes = section.Bytes("tmp_size", standard.TmpBytes, 1L << 20),
            },
            section.Items("toolchain", (mount, _) => new ToolchainMount(AbsolutePath(mount, "source"), AbsolutePath(mount, "target"))),
            section.Number("first_uid", HostLayout.FirstSandboxUid, 1_000, int.MaxValue / 2));
    }

    static string AbsolutePath(SettingsSection mount, string key)
    {
        var path = mount.Required(key);
        if (path.Length > 0 && !Path.IsPathRooted(path))
            mount.Report(key, $"\"{path}\" must be an absolute path");
        return path;
    }
}
