using Centaur.Protocol.Policy;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Configuration;

/// <summary>What the user wrote, checked and converted: everything that the stand-alone shape needs.</summary>
sealed record ProxyConfig
{
    /// <summary>Where clients connect, <c>host:port</c>; an empty host is every address.</summary>
    public required string TunnelListen { get; init; }

    public required string CaCertificateFile { get; init; }

    public required string CaKeyFile { get; init; }

    public required string? MetricsListen { get; init; }

    /// <summary>Null for standard output.</summary>
    public required string? AuditFile { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required ProxyPolicy Policy { get; init; }

    /// <summary>What changes requests on their way out.</summary>
    public required TransformSet Transforms { get; init; }

    /// <summary>Where each secret of the policy and of the transforms comes from.</summary>
    public required IReadOnlyDictionary<string, LocalSecret> Secrets { get; init; }

    public required IReadOnlyList<string> Notices { get; init; }
}

/// <param name="Variable">An environment variable, or null.</param>
/// <param name="File">A file, or null.</param>
/// <param name="TimeToLive">How long a value is used before it is read again.</param>
sealed record LocalSecret(string? Variable, string? File, TimeSpan TimeToLive);
