using Centaur.Protocol.Sandbox;

namespace Centaur.Server.Sandboxes;

/// <summary>How the sandboxes of this host are built.</summary>
public sealed record SandboxOptions
{
    public SandboxLimits Limits { get; init; } = new();

    /// <summary>Read-only folders that every jail sees besides <c>/usr</c>.</summary>
    public IReadOnlyList<ToolchainMount> Toolchain { get; init; } = [];

    /// <summary>How long a keeper may take to open its attach socket.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);
}
