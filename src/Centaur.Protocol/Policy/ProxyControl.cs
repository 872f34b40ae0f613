using System.Text.Json.Serialization;

namespace Centaur.Protocol.Policy;

/// <summary>What a keeper tells its proxy over the control socket that the proxy inherits (one JSON object a line).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(EnforcePolicy), "policy")]
[JsonDerivedType(typeof(UseBroker), "broker")]
public abstract record ProxyCommand;

/// <summary>Replaces the policy. Answered by <see cref="ProxyPolicyAcknowledged"/> or <see cref="ProxyPolicyRejected"/>.</summary>
public sealed record EnforcePolicy(ProxyPolicy Policy) : ProxyCommand;

/// <summary>
/// Hands the proxy its connection to the secret broker. There is no inherited descriptor for it: a spare sandbox has no ticket yet.
/// <para>1. The keeper connects a stream socket to <c>SandboxSpec.BrokerSocket</c>, sends <c>OpenGrant</c> with the ticket and reads the answer up to its line
/// feed, not a byte more (after <c>BrokerDone</c> the broker says nothing until it is asked, so any reader serves).</para>
/// <para>2. It sends the line <c>{"type":"broker"}</c> over the control socket with that one descriptor as SCM_RIGHTS ancillary data of the same sendmsg
/// (<see cref="Framing.DescriptorPassing.Send"/>), and closes its own copy. No other writer may write to the control socket in the middle of that line.</para>
/// <para>3. The proxy takes the oldest descriptor that arrived and is not taken yet, and closes the connection that it had before. There is no answer: a broker line before a policy line is in force before that policy is acknowledged.</para>
/// <para>4. When the connection ends (the broker died, the grant was revoked) the proxy sends <see cref="ProxyBrokerLost"/>; the keeper may repeat from step 1, at
/// most about once a second. Values that were fetched stay good until they age, unless <c>SecretRevoked</c> named them; a request that needs one that is not
/// there is answered 503. A proxy without a broker connection enforces its policy all the same.</para>
/// </summary>
public sealed record UseBroker : ProxyCommand;

/// <summary>What a proxy tells its keeper.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ProxyReady), "ready")]
[JsonDerivedType(typeof(ProxyPolicyAcknowledged), "policy_ack")]
[JsonDerivedType(typeof(ProxyPolicyRejected), "policy_rejected")]
[JsonDerivedType(typeof(ProxyBrokerLost), "broker_lost")]
public abstract record ProxyNotice;

/// <summary>The proxy listens and denies everything.</summary>
/// <param name="CaCertificate">PEM of the certificate authority whose leaves this proxy mints.</param>
public sealed record ProxyReady(string CaCertificate) : ProxyNotice;

public sealed record ProxyPolicyAcknowledged(long Version) : ProxyNotice;

/// <summary>The policy contradicts itself or names what cannot be had; the one before stays in force.</summary>
public sealed record ProxyPolicyRejected(long Version, string Message) : ProxyNotice;

/// <summary>The broker's connection ended; see <see cref="UseBroker"/>.</summary>
public sealed record ProxyBrokerLost : ProxyNotice;

/// <summary>
/// File descriptors that <c>centaur-proxy sandbox</c> inherits from its keeper. The proxy ends when the control socket closes, and on SIGTERM.
/// </summary>
public static class ProxyDescriptors
{
    /// <summary>A listening unix stream socket: the jail's way out.</summary>
    public const int Listener = 3;

    /// <summary>A connected unix stream socket to the keeper: <see cref="ProxyCommand"/> in, <see cref="ProxyNotice"/> out.</summary>
    public const int Control = 4;

    /// <summary>
    /// A memfd that holds the CA as PEM (certificate, then PKCS#8 key). Empty at a sandbox's first start: the proxy makes the CA, writes it and seals the file.
    /// </summary>
    public const int CertificateAuthority = 5;

    /// <summary>The audit file, opened by the keeper for reading and appending (O_RDWR | O_APPEND): a proxy that starts again continues the chain of its last line.</summary>
    public const int Audit = 6;

    /// <summary>A listening unix stream socket: the jail's way to databases. Inherited where <see cref="PostgresArgument"/> says so.</summary>
    public const int Postgres = 7;

    /// <summary>The argument after <c>sandbox</c> with which a keeper says that it hands over <see cref="Postgres"/>; keepers of before do not, and restart newer proxies.</summary>
    public const string PostgresArgument = "postgres";
}
