using System.Text.Json.Serialization;

namespace Centaur.Protocol.Broker;

/// <summary>
/// What peers ask of the secret broker, one JSON object a line. Two sockets, two vocabularies: on the control socket (server and command line only,
/// checked by the kernel's peer credentials) <see cref="GrantSecrets"/> and <see cref="RevokeGrant"/>; on the fetch socket <see cref="OpenGrant"/>
/// first (the keeper, which then hands the connected socket to its proxy) and <see cref="FetchSecret"/> after it (the proxy).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(GrantSecrets), "grant")]
[JsonDerivedType(typeof(RevokeGrant), "revoke")]
[JsonDerivedType(typeof(OpenGrant), "open")]
[JsonDerivedType(typeof(FetchSecret), "fetch")]
public abstract record BrokerRequest;

/// <summary>
/// Names the secrets that one sandbox's proxy may fetch, replacing what was granted before. The ticket is made by the server and known to the server,
/// the broker and the keeper; it outlives a proxy that is restarted. A broker that was restarted knows no grants: the server repeats them when it claims a turn.
/// </summary>
public sealed record GrantSecrets(string SandboxId, string Ticket, IReadOnlyList<GrantedSecret> Secrets) : BrokerRequest;

/// <param name="Name">The secret's name.</param>
/// <param name="Source">Where the broker finds the value.</param>
public sealed record GrantedSecret(string Name, SecretSource Source);

/// <summary>Withdraws every grant of a sandbox; open connections of its proxy are told and closed.</summary>
public sealed record RevokeGrant(string SandboxId) : BrokerRequest;

/// <summary>Binds a connection of the fetch socket to the sandbox whose ticket this is.</summary>
public sealed record OpenGrant(string Ticket) : BrokerRequest;

/// <summary>Asks for a value. <see cref="Id"/> pairs question and answer.</summary>
public sealed record FetchSecret(long Id, string Name) : BrokerRequest;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(BrokerDone), "done")]
[JsonDerivedType(typeof(BrokerFailed), "failed")]
[JsonDerivedType(typeof(SecretValue), "secret")]
[JsonDerivedType(typeof(SecretRevoked), "revoked")]
public abstract record BrokerReply;

public sealed record BrokerDone : BrokerReply;

/// <summary><see cref="Code"/> is one of <see cref="BrokerFailures"/>; the message never holds a value.</summary>
public sealed record BrokerFailed(long Id, string Code, string Message) : BrokerReply;

/// <param name="Id">The question's id.</param>
/// <param name="Name">The secret's name.</param>
/// <param name="Value">The value's UTF-8 bytes in base64.</param>
/// <param name="MaxAgeSeconds">How long the proxy may use it before it asks again.</param>
public sealed record SecretValue(long Id, string Name, string Value, int MaxAgeSeconds) : BrokerReply
{
    /// <summary>The value never prints.</summary>
    public override string ToString() => $"SecretValue {{ Id = {Id}, Name = {Name} }}";
}

/// <summary>Pushed to open connections: forget this value now.</summary>
public sealed record SecretRevoked(string Name) : BrokerReply;

public static class BrokerFailures
{
    public const string NotGranted = "not_granted";
    public const string NotFound = "not_found";

    /// <summary>The source did not answer: not a bad key, and worth another try.</summary>
    public const string SourceUnavailable = "source_unavailable";

    /// <summary>The source refused the broker's own token: no bad key of the agent, no missing secret, and the operator's to repair.</summary>
    public const string BrokerRefused = "broker_refused";
    public const string UnknownTicket = "unknown_ticket";
    public const string Malformed = "malformed";
    public const string Forbidden = "forbidden";
}
