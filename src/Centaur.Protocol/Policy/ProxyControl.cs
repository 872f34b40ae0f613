using System.Text.Json.Serialization;

namespace Centaur.Protocol.Policy;

/// <summary>What a keeper tells its proxy over the control socket that the proxy inherits (one JSON object a line).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(EnforcePolicy), "policy")]
public abstract record ProxyCommand;

/// <summary>Replaces the policy. Answered by <see cref="ProxyPolicyAcknowledged"/> or <see cref="ProxyPolicyRejected"/>.</summary>
public sealed record EnforcePolicy(ProxyPolicy Policy) : ProxyCommand;

/// <summary>What a proxy tells its keeper.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ProxyReady), "ready")]
[JsonDerivedType(typeof(ProxyPolicyAcknowledged), "policy_ack")]
[JsonDerivedType(typeof(ProxyPolicyRejected), "policy_rejected")]
public abstract record ProxyNotice;

/// <summary>The proxy listens and denies everything.</summary>
/// <param name="CaCertificate">PEM of the certificate authority whose leaves this proxy mints.</param>
public sealed record ProxyReady(string CaCertificate) : ProxyNotice;

public sealed record ProxyPolicyAcknowledged(long Version) : ProxyNotice;

/// <summary>The policy contradicts itself or names what cannot be had; the one before stays in force.</summary>
public sealed record ProxyPolicyRejected(long Version, string Message) : ProxyNotice;

/// <summary>File descriptors that <c>centaur-proxy sandbox</c> inherits from its keeper.</summary>
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

    /// <summary>The audit file, opened for appending by the keeper.</summary>
    public const int Audit = 6;
}
