using System.Net.Sockets;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Forwarding;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Postgres;
using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Tls;
using Centaur.Proxy.Transforms;
using Centaur.Proxy.Transforms.Tokens;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Hosting;

/// <summary>Everything that one running proxy is made of; both shapes of the program build it the same way.</summary>
sealed class ProxyParts : IDisposable
{
    /// <param name="authority">Signs leaves; null where TLS is not looked into.</param>
    /// <param name="auditFile">Where everything is recorded.</param>
    /// <param name="secrets">Where values come from.</param>
    /// <param name="limits">What clients may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="rules">Which addresses are dialled; public ones where it is not said.</param>
    /// <param name="chain">Proxies behind this one.</param>
    public ProxyParts(
        CertificateAuthority? authority, AuditFile auditFile, ISecretSource secrets, ProxyLimits limits, TimeProvider time, DialRules? rules = null, ProxyChain? chain = null)
    {
        Authority = authority;
        AuditFile = auditFile;
        Limits = limits;
        Audit = new AuditTrail(auditFile, time);
        Leaves = authority is null ? null : new LeafCache(authority, limits, time);
        Dialer = new Dialer(limits, rules ?? DialRules.Public, chain ?? ProxyChain.None, Own);
        Upstreams = new UpstreamPool(Dialer, limits);
        Relay = new PassthroughRelay(Dialer, Audit, time);
        Vault = new SecretVault(secrets, time);
        Connections = new Gate(limits.Connections);
        Policies = new PolicyState(new TransformRuntime(Vault, new TokenCache(Vault, Upstreams, time), time));
        Exchange = new Exchange(Policies, Upstreams, Audit, new Gate(limits.ConcurrentRequests), limits, time);
    }

    public PolicyState Policies { get; }

    public CertificateAuthority? Authority { get; }

    public AuditFile AuditFile { get; }

    public AuditTrail Audit { get; }

    public ProxyLimits Limits { get; }

    public LeafCache? Leaves { get; }

    /// <summary>Where this program listens.</summary>
    public OwnListeners Own { get; } = new();

    public Dialer Dialer { get; }

    public UpstreamPool Upstreams { get; }

    public PassthroughRelay Relay { get; }

    /// <summary>The values of the first generation; of the only one behind a broker.</summary>
    public SecretVault Vault { get; }

    public Gate Connections { get; }

    public Exchange Exchange { get; }

    /// <summary>Serves databases on a socket that listens.</summary>
    public PostgresListener Postgres(Socket listener, TimeProvider time) =>
        new(listener, new PostgresParts(new BackendConnector(Dialer), Policies, Audit, Limits, time));

    public void Dispose()
    {
        Upstreams.Dispose();
        Authority?.Dispose();
        AuditFile.Dispose();
    }
}
