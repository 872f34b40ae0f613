using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Sources.Caching;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Configuration;

/// <summary>What the user wrote, checked and converted: everything that the stand-alone shape needs.</summary>
sealed record ProxyConfig
{
    public required ListenConfig Listen { get; init; }

    public required TlsConfig Tls { get; init; }

    public required ProxyLimits Limits { get; init; }

    /// <summary>Which addresses are dialled.</summary>
    public required DialRules DialRules { get; init; }

    /// <summary>Proxies behind this one.</summary>
    public required ProxyChain Chain { get; init; }

    /// <summary>The variable with the key of the management's callers.</summary>
    public required string ManagementKeyVariable { get; init; }

    /// <summary>Null for standard output.</summary>
    public required string? AuditFile { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required ProxyPolicy Policy { get; init; }

    /// <summary>Where each secret of the policy and of the transforms comes from.</summary>
    public required IReadOnlyDictionary<string, LocalSecret> Secrets { get; init; }

    /// <summary>The databases that are reached through this proxy; null where there are none.</summary>
    public PostgresConfig? Postgres { get; init; }

    /// <summary>The keys that count at the start only, as they are written.</summary>
    public required IReadOnlyDictionary<string, string> Fixed { get; init; }

    public IReadOnlyList<string> Notices { get; init; } = [];
}

/// <param name="Source">Where the value is.</param>
/// <param name="Terms">How long it is used before it is read again.</param>
sealed record LocalSecret(SecretSource Source, CacheTerms Terms);
