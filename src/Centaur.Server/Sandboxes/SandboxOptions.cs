using Centaur.Protocol.Host;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Sandboxes.Pool;

namespace Centaur.Server.Sandboxes;

/// <summary>How the sandboxes of this host are built.</summary>
public sealed record SandboxOptions
{
    const double Year = 31_536_000;

    public SandboxLimits Limits { get; init; } = new();

    /// <summary>Read-only folders that every jail sees besides <c>/usr</c>.</summary>
    public IReadOnlyList<ToolchainMount> Toolchain { get; init; } = [];

    /// <summary>How long a keeper may take to open its attach socket.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a keeper may take to answer an owner, or to end its jail, its proxy and itself, before it is killed.</summary>
    public TimeSpan AnswerLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>As root: the first of the uids that sandboxes get.</summary>
    public int FirstUid { get; init; } = HostLayout.FirstSandboxUid;

    /// <summary>How often sandboxes are looked after where nothing wakes whoever does.</summary>
    public TimeSpan Reconcile { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A sandbox that no execution has used for so long is ended; its thread is suspended.</summary>
    public TimeSpan IdleTtl { get; init; } = TimeSpan.FromSeconds(86_400);

    /// <summary>The same for threads whose last execution was asked from a command line, which are seldom returned to.</summary>
    public TimeSpan DevIdleTtl { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Threads of this host that may have a sandbox at once before the longest unused ones make room; 0 is no limit.</summary>
    public int MaxActive { get; init; } = 45;

    /// <summary>How long the session of a thread is kept that was stopped, or whose host is gone.</summary>
    public TimeSpan StoppedRetention { get; init; } = TimeSpan.FromSeconds(3_600);

    /// <summary>How long a suspended thread may rest, and the record of a dead sandbox is kept.</summary>
    public TimeSpan SuspendedRetention { get; init; } = TimeSpan.FromSeconds(604_800);

    /// <summary>Whether a thread's folder goes when neither its session nor the record of a sandbox on it is left.</summary>
    public bool RemoveFolders { get; init; }

    /// <summary>A host none of whose servers has shown a sign of life for so long is gone, and what ran there is given up.</summary>
    public TimeSpan HostGone { get; init; } = TimeSpan.FromSeconds(300);

    public WarmPoolOptions WarmPool { get; init; } = new();

    public static SandboxOptions Read(Settings settings)
    {
        var section = settings.Root.Section("sandbox");
        var standard = new SandboxLimits();
        var times = new SandboxOptions();
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
            AnswerLimit = Seconds("answer_seconds", times.AnswerLimit, 1, 3600, null),
            Reconcile = Seconds("reconcile_seconds", times.Reconcile, 0.1, 3600, null),
            IdleTtl = Seconds("idle_ttl_seconds", times.IdleTtl, 1, Year, "IDLE_TTL_S"),
            DevIdleTtl = Seconds("dev_idle_ttl_seconds", times.DevIdleTtl, 1, Year, null),
            MaxActive = section.Number("max_active", times.MaxActive, 0, 100_000, "MAX_ACTIVE_SANDBOX_SESSIONS"),
            SuspendedRetention = Seconds("suspended_retention_seconds", times.SuspendedRetention, 1, 10 * Year, "SUSPENDED_RETENTION_S"),
            StoppedRetention = Seconds("stopped_retention_seconds", times.StoppedRetention, 1, 10 * Year, null),
            RemoveFolders = section.Flag("remove_folders", times.RemoveFolders),
            // The leases of a host are forgotten after a day.
            HostGone = Seconds("host_gone_seconds", times.HostGone, 1, 86_400, null),
            WarmPool = WarmPoolOptions.Read(section.Section("warm_pool")),
        };

        TimeSpan Seconds(string key, TimeSpan fallback, double least, double most, string? variable) =>
            TimeSpan.FromSeconds(section.Decimal(key, fallback.TotalSeconds, least, most, variable));
    }

    static string AbsolutePath(SettingsSection mount, string key)
    {
        var path = mount.Required(key);
        if (path.Length > 0 && !Path.IsPathRooted(path))
            mount.Report(key, $"\"{path}\" must be an absolute path");
        return path;
    }
}
