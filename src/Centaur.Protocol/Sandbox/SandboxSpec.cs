namespace Centaur.Protocol.Sandbox;

/// <summary>
/// How a keeper builds its sandbox: <c>centaur-runner keep --spec FILE</c>. Holds no secret and no identity; those arrive with the claim.
/// Paths are the host's unless they say otherwise.
/// </summary>
public sealed record SandboxSpec
{
    /// <summary>The exit code of a keeper that found its sandbox kept by another one, and left it alone.</summary>
    public const int KeptByAnother = 3;

    public required string SandboxId { get; init; }

    /// <summary>Kept across restarts of every program: <c>journal/</c>, <c>audit.ndjson</c>, <c>keeper.log</c>. 0700.</summary>
    public required string StateFolder { get; init; }

    /// <summary>A short path for sockets: <c>attach.sock</c> (0600), and <c>jail/</c> with <c>api.sock</c> and <c>proxy.sock</c>, bound into the jail as <see cref="JailPaths.Sockets"/>.</summary>
    public required string RuntimeFolder { get; init; }

    /// <summary>
    /// The folder that becomes <see cref="JailPaths.Home"/>; or, when <see cref="HomeImage"/> is set, where that image is mounted.
    /// </summary>
    public required string HomeFolder { get; init; }

    /// <summary>As root: an ext4 image of <see cref="SandboxLimits.HomeBytes"/> that the keeper makes when it is missing and mounts on <see cref="HomeFolder"/>, so that a full disk is the sandbox's own. Null as an ordinary user.</summary>
    public string? HomeImage { get; init; }

    /// <summary>The host's uid and gid of everything in the jail; null as an ordinary user.</summary>
    public int? JailUid { get; init; }

    /// <summary>The host's uid and gid of the proxy; null as an ordinary user.</summary>
    public int? ProxyUid { get; init; }

    /// <summary>Absolute path of <c>centaur-runner</c>; bound into the jail as <see cref="JailPaths.Runner"/>.</summary>
    public required string RunnerProgram { get; init; }

    /// <summary>Absolute path of <c>centaur-proxy</c>.</summary>
    public required string ProxyProgram { get; init; }

    /// <summary>The broker's fetch socket.</summary>
    public required string BrokerSocket { get; init; }

    /// <summary>The server's listener for sandboxes, to which <c>api.sock</c> is relayed: <c>unix:/path</c> or <c>127.0.0.1:8001</c>.</summary>
    public required string ApiUpstream { get; init; }

    /// <summary>Read-only folders of the host that the jail sees besides <c>/usr</c>: harness CLIs, and what the operator adds.</summary>
    public IReadOnlyList<ToolchainMount> Toolchain { get; init; } = [];

    public SandboxLimits Limits { get; init; } = new();
}

/// <param name="Source">The host's path.</param>
/// <param name="Target">The path in the jail.</param>
public sealed record ToolchainMount(string Source, string Target);

/// <summary>What one sandbox may use. Enforced by cgroups and the home image as root, and by what the system delegates otherwise.</summary>
public sealed record SandboxLimits
{
    public long MemoryBytes { get; init; } = 4L << 30;
    public int Processes { get; init; } = 512;
    public double Cpus { get; init; } = 2;
    public long HomeBytes { get; init; } = 8L << 30;
    public long TmpBytes { get; init; } = 512L << 20;

    /// <summary>The journal stops the harness's pipe at this size.</summary>
    public long JournalBytes { get; init; } = 256L << 20;

    /// <summary>A longer line of the harness is quarantined.</summary>
    public int FrameBytes { get; init; } = 8 << 20;

    /// <summary>How long the pipe may stand at the journal's cap before output is cut with a notice.</summary>
    public int JournalFullSeconds { get; init; } = 600;
}

/// <summary>Fixed places inside every jail, and the ports that its forwarders hold.</summary>
public static class JailPaths
{
    public const string Home = "/home/agent";
    public const string Workspace = "/home/agent/workspace";
    public const string ApiKeyFile = "/home/agent/.api_key";
    public const string Sockets = "/run/centaur";
    public const string Harnesses = "/opt/harness";
    public const string Runner = "/opt/centaur/centaur-runner";
    public const string CaCertificate = "/etc/centaur/ca.pem";
    public const string CaBundle = "/etc/ssl/certs/ca-certificates.crt";

    /// <summary>Loopback port that leads to the proxy.</summary>
    public const int ProxyPort = 38080;

    /// <summary>Loopback port that leads to the API.</summary>
    public const int ApiPort = 38000;
}
