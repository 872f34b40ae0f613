using System.Text.Json;
using Centaur.Server.Harnesses;
using Npgsql;

namespace Centaur.Server.Executions;

/// <summary>An execution that this worker owns for as long as its lease and its fencing generation hold.</summary>
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
    DateTimeOffset StartedAt)
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
        row.GetFieldValue<DateTimeOffset>(9));
}

/// <summary>The words of <c>terminal_reason</c> (wire contract §2).</summary>
internal static class TerminalReasons
{
    public const string Completed = "completed";
    public const string CancelRequested = "cancel_requested";
    public const string AssignmentMissing = "assignment_missing";
    public const string HardDeadline = "hard_deadline_exceeded";
    public const string SilenceDeadline = "silence_deadline_exceeded";
    public const string ExecutionError = "execution_error";
    public const string StreamEnded = "stream_ended_without_turn_done";
    public const string HarnessError = "harness_error";
}
