using System.Net.Security;
using System.Security.Authentication;
using Centaur.Proxy.Audit;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Centaur.Proxy.Front;

/// <summary>Chooses the leaf of a TLS handshake: for the host that the connection leads to, and for no other; a leaf is signed only where something may be reached.</summary>
sealed class Handshakes(PolicyState policies, AuditTrail audit, LeafCache leaves)
{
    const int TlsPort = 443;

    public ValueTask<SslServerAuthenticationOptions> Choose(TlsHandshakeCallbackContext handshake)
    {
        var tunnel = handshake.Connection.Features.Get<Tunnel>() ?? throw new AuthenticationException("TLS without CONNECT.");
        if (ServerNames.Target(handshake.ClientHelloInfo.ServerName, tunnel, TlsPort) is not { } target)
            throw Refused(tunnel.Target, new Refusal(0, RefusalCodes.SniMismatch, "", ""));
        if (tunnel.Target is null)
        {
            if (policies.Current.For(target.Host, target.IsAddress).Rules.Length == 0)
                throw Refused(target, Refusals.Host(target, policies.Current));
            tunnel.Target = target;
        }

        var leaf = leaves.For(target) ?? throw Refused(target, new Refusal(0, RefusalCodes.TooManyHosts, "", ""));
        return new ValueTask<SslServerAuthenticationOptions>(leaf.Options);
    }

    AuthenticationException Refused(Authority? target, Refusal refusal)
    {
        audit.Refused(policies.Current, target, "CONNECT", "", "", refusal);
        return new AuthenticationException(refusal.Code);
    }
}
