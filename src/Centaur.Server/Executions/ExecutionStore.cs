using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Npgsql;

namespace Centaur.Server.Executions;

/// <summary>Every statement of the API about executions; those of the worker are in <c>ExecutionClaims</c>.</summary>
internal sealed class ExecutionStore(PostgresDatabase database)
{
    public Task<QueuedBefore?> ByExecuteId(SqlSession session, string threadKey, string executeId, CancellationToken cancellationToken) =>
        session.First(
            $"""
            select execution_id, assignment_generation, status, request_hash
            from agent_execution_requests where thread_key = {threadKey} and execute_id = {executeId}
            """,
            row => new QueuedBefore(row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetString(3)),
            cancellationToken);

    /// <summary>Why the thread's last executions failed, newest first, as many as failed within the window.</summary>
    public Task<IReadOnlyList<string>> FailuresSince(SqlSession session, string threadKey, TimeSpan window, CancellationToken cancellationToken) =>
        session.Query(
            $"""
            select coalesce(terminal_reason, 'unknown')
            from agent_execution_requests
            where thread_key = {threadKey} and status = 'failed_permanent' and completed_at > clock_timestamp() - {window}
            order by completed_at desc
            """,
            row => row.GetString(0),
            cancellationToken);

    public Task Insert(SqlSession session, NewExecution execution, ExecutionOptions options, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            insert into agent_execution_requests
                (execution_id, thread_key, assignment_generation, execute_id, request_hash, status, delivery, metadata, workflow_run_id, silence_deadline_at, hard_deadline_at)
            values ({execution.ExecutionId}, {execution.ThreadKey}, {execution.Generation}, {execution.ExecuteId}, {execution.Hash}, 'queued',
                    {new Jsonb(execution.Delivery.ToJsonString())}, {new Jsonb(execution.Metadata.ToJsonString())}, {execution.WorkflowRunId}, now() + {options.Silence}, now() + {options.Hard})
            """,
            cancellationToken);

    public Task<ExecutionView?> Find(string executionId, CancellationToken cancellationToken) =>
        database.First(
            $"""
            select e.execution_id, e.thread_key, e.assignment_generation, e.execute_id, e.status, e.durable_turn_id, e.terminal_reason, e.result_text, e.error_text,
                   s.agent_thread_id, e.metadata::text, e.created_at, e.started_at, e.completed_at, e.updated_at
            from agent_execution_requests e left join sandbox_sessions s on s.thread_key = e.thread_key
            where e.execution_id = {executionId}
            """,
            Read,
            cancellationToken)!;

    public Task<IReadOnlyList<ExecutionEntry>> Of(string threadKey, int limit, CancellationToken cancellationToken) =>
        database.Query(
            $"""
            select execution_id, execute_id, status, created_at, started_at, completed_at
            from agent_execution_requests where thread_key = {threadKey}
            order by created_at desc, execution_id desc
            limit {limit}
            """,
            row => new ExecutionEntry(row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3), Time(row, 4), Time(row, 5)),
            cancellationToken);

    /// <summary>The status, held against change until the caller's transaction ends.</summary>
    public Task<string?> LockStatus(SqlSession session, string executionId, CancellationToken cancellationToken) =>
        session.First($"select status from agent_execution_requests where execution_id = {executionId} for update", row => row.GetString(0), cancellationToken);

    /// <summary>Ends an execution that no worker has.</summary>
    public Task CancelQueued(SqlSession session, string executionId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update agent_execution_requests
            set status = 'cancelled', terminal_reason = 'cancelled', error_text = 'cancelled', completed_at = clock_timestamp(), updated_at = now()
            where execution_id = {executionId} and status = 'queued'
            """,
            cancellationToken);

    /// <summary>Asks the worker that has it to end it.</summary>
    public Task RequestCancel(SqlSession session, string executionId, CancellationToken cancellationToken) =>
        session.Execute(
            $"""
            update agent_execution_requests set status = 'cancel_requested', updated_at = now()
            where execution_id = {executionId} and status in ('running', 'retry_wait')
            """,
            cancellationToken);

    /// <summary>Asks the owner of the thread's running execution to end it.</summary>
    /// <returns>The execution; null where none runs, or it is being cancelled already.</returns>
    public Task<string?> RequestCancelOfRunning(SqlSession session, string threadKey, CancellationToken cancellationToken) =>
        session.First(
            $"""
            update agent_execution_requests set status = 'cancel_requested', updated_at = now()
            where thread_key = {threadKey} and status in ('running', 'retry_wait')
            returning execution_id
            """,
            row => row.GetString(0),
            cancellationToken);

    /// <summary>Ends every execution of the thread that has not ended, whoever has it: a raised fencing generation refuses whatever its owner still writes.</summary>
    public Task<IReadOnlyList<string>> CancelAll(SqlSession session, string threadKey, string reason, CancellationToken cancellationToken) =>
        session.Query(
            $"""
            update agent_execution_requests
            set status = 'cancelled', terminal_reason = {reason}, error_text = 'cancelled', worker_id = null, fencing_generation = fencing_generation + 1,
                completed_at = clock_timestamp(), updated_at = clock_timestamp()
            where thread_key = {threadKey} and status in ('queued', 'running', 'cancel_requested', 'retry_wait')
            returning execution_id
            """,
            row => row.GetString(0),
            cancellationToken);

    static ExecutionView Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetString(3), row.GetString(4), Text(row, 5), Text(row, 6), Text(row, 7), Text(row, 8), Text(row, 9),
            JsonNode.Parse(row.GetString(10))!, row.GetFieldValue<DateTimeOffset>(11), Time(row, 12), Time(row, 13), row.GetFieldValue<DateTimeOffset>(14));

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    static DateTimeOffset? Time(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}

internal sealed record QueuedBefore(string ExecutionId, int Generation, string Status, string Hash);

internal sealed record NewExecution(string ExecutionId, string ThreadKey, int Generation, string ExecuteId, string Hash, JsonObject Delivery, JsonObject Metadata)
{
    /// <summary>The workflow run that asked for it (contract §6: its metadata names it); null where a person did.</summary>
    public string? WorkflowRunId => Metadata["workflow_run_id"] is JsonValue value && value.TryGetValue<string>(out var run) && run.Length > 0 ? run : null;
}

/// <summary>An execution as clients see it (contract §1.5).</summary>
public sealed record ExecutionView(
    string ExecutionId, string ThreadKey, int AssignmentGeneration, string ExecuteId, string Status, string? DurableTurnId, string? TerminalReason, string? ResultText,
    string? ErrorText, string? AgentThreadId, JsonNode Metadata, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt, DateTimeOffset UpdatedAt);

public sealed record ExecutionEntry(
    string ExecutionId, string ExecuteId, string Status, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt);
