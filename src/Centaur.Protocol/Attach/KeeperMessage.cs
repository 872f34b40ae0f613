using System.Text.Json.Serialization;

namespace Centaur.Protocol.Attach;

/// <summary>What a keeper writes to its attach socket besides frames, one JSON object a line.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Attached), "attached")]
[JsonDerivedType(typeof(Refused), "refused")]
[JsonDerivedType(typeof(PolicyAcknowledged), "policy_ack")]
[JsonDerivedType(typeof(Claimed), "claimed")]
[JsonDerivedType(typeof(TurnAccepted), "accepted")]
public abstract record KeeperMessage;

/// <summary>The attachment stands; frames follow.</summary>
/// <param name="SandboxId">Whose keeper answers.</param>
/// <param name="Generation">The generation that now holds.</param>
/// <param name="LastSeq">The last frame in the journal.</param>
/// <param name="Phase">One of <see cref="KeeperPhases"/>.</param>
/// <param name="PolicyVersion">The version that the proxy last acknowledged; 0 for the deny-all policy of a spare.</param>
/// <param name="CaCertificate">PEM of the certificate authority of this sandbox.</param>
/// <param name="Turn">The turn that runs now, if any.</param>
public sealed record Attached(
    string SandboxId, long Generation, long LastSeq, string Phase, long PolicyVersion, string CaCertificate, string? Turn) : KeeperMessage;

/// <summary>What was asked is not done. <see cref="Code"/> is one of <see cref="RefusalCodes"/>.</summary>
public sealed record Refused(string Code, string Message) : KeeperMessage;

/// <summary>The proxy enforces this version from now on.</summary>
public sealed record PolicyAcknowledged(long Version) : KeeperMessage;

/// <summary>The sandbox has its identity.</summary>
public sealed record Claimed(string ThreadKey) : KeeperMessage;

/// <summary>The turn (or the steering message) is the harness's now.</summary>
/// <param name="Turn">The turn's id.</param>
/// <param name="Repeated">True when this id had been delivered before: nothing was written again.</param>
/// <param name="Disposition"><c>applied</c> to the running step, or <c>queued</c> for the next turn.</param>
public sealed record TurnAccepted(string Turn, bool Repeated, string Disposition = "applied") : KeeperMessage;

/// <summary>Where a keeper is in its life.</summary>
public static class KeeperPhases
{
    /// <summary>Proxy ready, jail up, no identity.</summary>
    public const string Spare = "spare";

    /// <summary>Has its identity; the harness starts with the first turn.</summary>
    public const string Claimed = "claimed";

    /// <summary>The harness runs.</summary>
    public const string Running = "running";

    /// <summary>The jail is gone; only the journal is left to read.</summary>
    public const string Dead = "dead";
}

/// <summary>Why a keeper refuses.</summary>
public static class RefusalCodes
{
    public const string GenerationStale = "generation_stale";
    public const string NotAttached = "not_attached";
    public const string PolicyRejected = "policy_rejected";
    public const string AlreadyClaimed = "already_claimed";
    public const string NotClaimed = "not_claimed";
    public const string TurnRunning = "turn_running";
    public const string NoSuchTurn = "no_such_turn";
    public const string JailGone = "jail_gone";
    public const string MalformedMessage = "malformed_message";
    public const string HarnessFailed = "harness_failed";
}
