using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres;

/// <summary>Why a session is not begun, or ends. Its message is shown to the client: it never holds a value, nor a text that an upstream sent.</summary>
/// <param name="sqlState">One of <see cref="SqlStates"/>, or the code that the upstream gave.</param>
/// <param name="message">What happened, in a sentence.</param>
/// <param name="cause">The word for it in the audit.</param>
/// <param name="inner">What was thrown below.</param>
sealed class PostgresFault(string sqlState, string message, string cause, Exception? inner = null) : IOException(message, inner)
{
    public string SqlState { get; } = sqlState;

    public string Cause { get; } = cause;

    /// <summary>What to do about it.</summary>
    public string? Hint { get; init; }

    public byte[] ToMessage() => WireMessage.Error("FATAL", SqlState, Message, Hint);

    public static PostgresFault Protocol(string message) => new(SqlStates.ProtocolViolation, message, "protocol_violation");
}
