using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Sandboxes;

/// <summary>How the sandboxes of this host are built.</summary>
public sealed record SandboxOptions
{
    public SandboxLimits Limits { get; init; } = new();

    /// <summary>Read-only folders that every jail sees besides <c>/usr</c>.</summary>
    public IReadOnlyList<ToolchainMount> Toolchain { get; init; } = [];

    /// <summary>How long a keeper may take to open its attach socket.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>As root: the first of the uids that sandboxes get.</summary>
    public int FirstUid { get; init; } = HostLayout.FirstSandboxUid;

    public static SandboxOptions Read(Settings settings)
    {
        var section = settings.Root.Section("sandbox");
        var standard = new SandboxLimits();
        return new SandboxOptions
        {
            Limits = standard with
            {
                MemoryBytes = section.Bytes("memory", standard.MemoryBytes, 64L << 20),
                Processes = section.Number("processes", standard.Processes, 16, 1_000_000),
                Cpus = section.Decimal("cpus", standard.Cpus, 0.05, 1024),
                HomeBytes = section.Bytes("home_size", standard.HomeBytes, 64L << 20),
                TmpBytes = section.Bytes("tmp_size", standard.TmpBytes, 1L << 20),
            },
            Toolchain = section.Items("toolchain", (mount, _) => new ToolchainMount(AbsolutePath(mount, "source"), AbsolutePath(mount, "target"))),
            FirstUid = section.Number("first_uid", HostLayout.FirstSandboxUid, 1_000, int.MaxValue / 2),
        };
    }

    static string AbsolutePath(SettingsSection mount, string key)
    {
        var path = mount.Required(key);
        if (path.Length > 0 && !Path.IsPathRooted(path))
            mount.Report(key, $"\"{path}\" must be an absolute path");
        return path;
    }
}
