using System.Text.Json;
using Centaur.Server.Harnesses;
using Npgsql;

namespace Centaur.Server.Executions;

/// <summary>An execution that this worker owns for as long as its lease and its fencing generation hold.</summary>
/// <param name="ExecutionId">The execution.</param>
/// <param name="ThreadKey">Its thread.</param>
/// <param name="AssignmentGeneration">The assignment that it is meant for.</param>
/// <param name="Status">One of <see cref="ExecutionStatus"/>.</param>
/// <param name="FencingGeneration">Repeated by every write of its owner.</param>
/// <param name="TurnId">The durable id of its turn; null where no turn was made yet.</param>
/// <param name="Attempts">How often the turn was given to a sandbox.</param>
/// <param name="Turn">What the turn's stored events have told.</param>
/// <param name="Metadata">As its author sent it, with what was added since.</param>
/// <param name="Ran">How long ago it was claimed for the first time, in the database's time.</param>
/// <param name="OfWorkflow">A workflow asked for it, and no person.</param>
internal sealed record ClaimedExecution(
    string ExecutionId,
    string ThreadKey,
    int AssignmentGeneration,
    string Status,
    long FencingGeneration,
    string? TurnId,
    int Attempts,
    TurnState Turn,
    JsonElement Metadata,
    TimeSpan Ran,
    bool OfWorkflow)
{
    public static ClaimedExecution Read(NpgsqlDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetInt32(2),
        row.GetString(3),
        row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetString(5),
        row.GetInt32(6),
        row.IsDBNull(7) ? new TurnState() : JsonSerializer.Deserialize(row.GetString(7), ExecutionJson.Default.TurnState)!,
        JsonSerializer.Deserialize(row.GetString(8), ExecutionJson.Default.JsonElement),
        row.GetTimeSpan(9),
        row.GetBoolean(10));
}

/// <summary>The words of <c>terminal_reason</c> (wire contract §2).</summary>
internal static class TerminalReasons
{
    public const string Completed = "completed";
    public const string Cancelled = "cancelled";
    public const string CancelRequested = "cancel_requested";
    public const string AssignmentMissing = "assignment_missing";
    public const string HardDeadline = "hard_deadline_exceeded";
    public const string SilenceDeadline = "silence_deadline_exceeded";
    public const string ExecutionError = "execution_error";
    public const string StreamEnded = "stream_ended_without_turn_done";
    public const string HarnessError = "harness_error";
    public const string HarnessAuthFailed = "harness_auth_failed";

    /// <summary>The name is the contract's, from the first harness that had it.</summary>
    public const string ReconnectTimeout = "amp_reconnect_timeout";
}
