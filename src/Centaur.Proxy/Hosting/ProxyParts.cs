using Centaur.Proxy.Audit;
using Centaur.Proxy.Forwarding;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Tls;
using Centaur.Proxy.Transforms;
using Centaur.Proxy.Transforms.Tokens;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Hosting;

/// <summary>Everything that one running proxy is made of; both shapes of the program build it the same way.</summary>
sealed class ProxyParts : IDisposable
{
    public ProxyParts(CertificateAuthority authority, AuditFile auditFile, ISecretSource secrets, ProxyLimits limits, TimeProvider time)
    {
        Authority = authority;
        AuditFile = auditFile;
        Limits = limits;
        Audit = new AuditTrail(auditFile, time);
        Leaves = new LeafCache(authority, limits, time);
        Dialer = new Dialer(limits);
        Upstreams = new UpstreamPool(Dialer, limits);
        Relay = new PassthroughRelay(Dialer, Audit, time);
        Vault = new SecretVault(secrets, time);
        Connections = new Gate(limits.Connections);
        Exchange = new Exchange(Policies, Vault, Upstreams, Audit, new TransformRuntime(Vault, new TokenCache(Vault, Upstreams, time), time), new Gate(limits.ConcurrentRequests), limits, time);
    }

    public PolicyState Policies { get; } = new();

    public CertificateAuthority Authority { get; }

    public AuditFile AuditFile { get; }

    public AuditTrail Audit { get; }

    public ProxyLimits Limits { get; }

    public LeafCache Leaves { get; }

    public Dialer Dialer { get; }

    public UpstreamPool Upstreams { get; }

    public PassthroughRelay Relay { get; }

    public SecretVault Vault { get; }

    public Gate Connections { get; }

    public Exchange Exchange { get; }

    public void Dispose()
    {
        Upstreams.Dispose();
        Authority.Dispose();
        AuditFile.Dispose();
    }
}
