using System.Text.Json;
using System.Text.Json.Serialization;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;

namespace Centaur.Protocol.Attach;

/// <summary>What a worker of the server writes to a keeper's attach socket, one JSON object a line. The first must be <see cref="AttachRequest"/>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(AttachRequest), "attach")]
[JsonDerivedType(typeof(PolicyUpdate), "policy")]
[JsonDerivedType(typeof(ClaimRequest), "claim")]
[JsonDerivedType(typeof(UserTurn), "user")]
[JsonDerivedType(typeof(SteerTurn), "steer")]
[JsonDerivedType(typeof(InterruptTurn), "interrupt")]
[JsonDerivedType(typeof(FrameAck), "ack")]
[JsonDerivedType(typeof(TokenUpdate), "token")]
[JsonDerivedType(typeof(StopSandbox), "stop")]
public abstract record WorkerMessage;

/// <summary>
/// Takes the sandbox over. The keeper closes older attachments and refuses a generation lower than the highest it has seen,
/// then sends every frame after <see cref="AfterSeq"/> and goes on live.
/// </summary>
/// <param name="Generation">The fencing generation of the worker's claim on this sandbox.</param>
/// <param name="AfterSeq">The last frame that Postgres holds; 0 for none.</param>
public sealed record AttachRequest(long Generation, long AfterSeq) : WorkerMessage;

/// <summary>A new policy for the proxy. Answered by <see cref="PolicyAcknowledged"/> or <see cref="Refused"/>; a turn waits for the answer.</summary>
public sealed record PolicyUpdate(ProxyPolicy Policy, string? BrokerTicket) : WorkerMessage;

/// <summary>Gives a spare sandbox its identity and names the harness that its turns use. Answered by <see cref="Claimed"/>. The same claim twice is one claim.</summary>
public sealed record ClaimRequest(SandboxIdentity Identity, HarnessLaunch Harness) : WorkerMessage
{
    /// <summary>Run in the jail, by the jail's user, in order, before the harness starts for the first time: the clone of a repository, for example.</summary>
    public IReadOnlyList<SetupCommand> Setup { get; init; } = [];
}

/// <summary>A turn. The same turn id twice is delivered once. Answered by <see cref="TurnAccepted"/>.</summary>
/// <param name="Turn">The durable turn id, <c>turn-</c> and 16 hexadecimal digits.</param>
/// <param name="Message">A user message: <c>{"role":"user","content":[blocks]}</c>.</param>
public sealed record UserTurn(string Turn, JsonElement Message) : WorkerMessage;

/// <summary>More input for a running turn. Answered by <see cref="TurnAccepted"/> with <c>applied</c> or <c>queued</c>.</summary>
public sealed record SteerTurn(string Turn, JsonElement Message) : WorkerMessage
{
    /// <summary>The same id twice is delivered once.</summary>
    public required string Id { get; init; }
}

/// <summary>Asks the harness to end the turn; after <see cref="GraceMs"/> milliseconds its process group is killed. Sandbox and workspace stay.</summary>
public sealed record InterruptTurn(string Turn, int GraceMs = 2000) : WorkerMessage;

/// <summary>Every frame up to this one is stored; the journal may forget it.</summary>
public sealed record FrameAck(long Seq) : WorkerMessage;

/// <summary>A fresh sandbox token, written where <c>call</c> reads it.</summary>
public sealed record TokenUpdate(string Token) : WorkerMessage;

/// <summary>Ends harness, jail, proxy and keeper. The thread's folder stays.</summary>
public sealed record StopSandbox(string Reason) : WorkerMessage;
