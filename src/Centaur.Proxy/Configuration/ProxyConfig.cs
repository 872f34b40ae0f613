using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Sources.Caching;
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

    /// <summary>The databases that are reached through this proxy; null where there are none.</summary>
    public PostgresConfig? Postgres { get; init; }

    public required IReadOnlyList<string> Notices { get; init; }
}

/// <param name="Source">Where the value is.</param>
/// <param name="Terms">How long it is used before it is read again.</param>
sealed record LocalSecret(SecretSource Source, CacheTerms Terms);
