using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Http;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Threads;

namespace Centaur.Server.Executions.Api;

/// <summary>A run that is asked for (contract §1.4).</summary>
/// <param name="ThreadKey">The thread.</param>
/// <param name="Generation">The assignment that it is meant for.</param>
/// <param name="ExecuteId">The client's id: the same id is the same execution.</param>
/// <param name="Hash">Of the payload as the client resolved it.</param>
/// <param name="Harness">Where the client names one, the assignment must have it.</param>
/// <param name="Delivery">Where the answer goes.</param>
/// <param name="Metadata">What is remembered with it.</param>
internal sealed record ExecutionRequest(string ThreadKey, int Generation, string ExecuteId, string Hash, string? Harness, JsonObject Delivery, JsonObject Metadata);

public sealed record ExecuteResponse(
    bool Ok, string ExecutionId, string ExecuteId, int AssignmentGeneration, string Status, string FinalKey, string DeliveryToken)
{
    /// <summary>True where the execution was queued before; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }
}

/// <summary>
/// Queues one execution (contract §1.4). 1. The same id with the same payload is answered with what became of it, with another it is refused. 2. The generation is the active
/// assignment's. 3. A thread that keeps failing is given a rest. 4. Row, outbox and event are written together, and a worker is woken after the commit.
/// </summary>
internal sealed class QueueExecution(ExecutionStore executions, AssignmentStore assignments, EventStore events, DeliveryOutbox deliveries, WakeUps wakeUps, ExecutionOptions options)
{
    /// <summary>In the caller's transaction, which must hold the thread's lock.</summary>
    public async Task<Outcome<ExecuteResponse>> Run(SqlSession session, ExecutionRequest request, CancellationToken cancellationToken)
    {
        // 1.
        if (await Before(session, request.ThreadKey, request.ExecuteId, request.Hash, cancellationToken) is { } before)
            return before;

        // 2.
        var active = await assignments.Active(session, request.ThreadKey, cancellationToken);
        if (AssignmentChecks.Refusal(active, request.Generation) is { } refused)
            return refused;
        if (request.Harness is { } harness && harness != active!.Harness)
            return ApiFailure.Control("ACTIVE_ASSIGNMENT_PROMPT_MISMATCH", $"The thread is assigned to {active.Harness}, not to {harness}. Release it first, or use another thread.");

        // 3.
        var failures = await executions.FailuresSince(session, request.ThreadKey, options.FailureLoopWindow, cancellationToken);
        if (failures.Count >= options.FailureLoopThreshold)
        {
            return ApiFailure.Control(
                "THREAD_FAILURE_LOOP",
                $"{failures.Count} executions of this thread failed within {options.FailureLoopWindow.TotalSeconds:0} s ({string.Join(", ", failures.Distinct())}). Repair the cause, then try again later.");
        }

        // 4.
        var executionId = ThreadRequest.NewId("exe_");
        await executions.Insert(
            session,
            new NewExecution(executionId, request.ThreadKey, request.Generation, request.ExecuteId, request.Hash, request.Delivery, request.Metadata),
            options,
            cancellationToken);
        await deliveries.Open(session, executionId, request.ThreadKey, request.Delivery, request.Metadata, cancellationToken);
        await events.Append(
            session, request.ThreadKey, executionId,
            [ExecutionStateEvent.Of(executionId, request.ThreadKey, ExecutionStatus.Queued, ("execute_id", request.ExecuteId), ("assignment_generation", request.Generation))],
            cancellationToken);
        session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
        return Response(executionId, request.ExecuteId, request.Generation, ExecutionStatus.Queued);
    }

    /// <summary>The answer to a repeat; null where the id is new.</summary>
    public async Task<Outcome<ExecuteResponse>?> Before(SqlSession session, string threadKey, string executeId, string hash, CancellationToken cancellationToken)
    {
        if (await executions.ByExecuteId(session, threadKey, executeId, cancellationToken) is not { } before)
            return null;
        return before.Hash == hash
            ? Response(before.ExecutionId, executeId, before.Generation, before.Status) with { Idempotent = true }
            : ThreadRequest.PayloadMismatch("execute_id", executeId);
    }

    static ExecuteResponse Response(string executionId, string executeId, int generation, string status) =>
        new(true, executionId, executeId, generation, status, executionId, executionId);
}
