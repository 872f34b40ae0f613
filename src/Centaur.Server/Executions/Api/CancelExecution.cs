using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Centaur.Server.Deliveries;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Executions.Api;

/// <summary>Ends an execution (contract §1.5, design §3): one that waits at once, one that runs by its owner, who interrupts the harness and keeps the sandbox.</summary>
internal sealed class CancelExecution(PostgresDatabase database, ExecutionStore executions, EventStore events, DeliveryOutbox deliveries, WakeUps wakeUps)
{
    static readonly CrashPoint Cancelling = new("execution.cancel");

    public async Task<CancelResponse> Run(string executionId, string threadKey, CancellationToken cancellationToken)
    {
        var (before, status) = await database.InTransaction(
            Cancelling,
            async session =>
            {
                await session.LockThread(threadKey, cancellationToken);
                var current = await executions.LockStatus(session, executionId, cancellationToken);
                if (current is ExecutionStatus.Queued)
                {
                    await executions.CancelQueued(session, executionId, cancellationToken);
                    await Append(session, ExecutionStatus.Cancelled, ("terminal_reason", "cancelled"), ("error_text", "cancelled"));
                    await deliveries.Ready(session, [executionId], cancellationToken);
                    return (current, ExecutionStatus.Cancelled);
                }

                if (current is not (ExecutionStatus.Running or ExecutionStatus.RetryWait))
                    return (current, current);
                await executions.RequestCancel(session, executionId, cancellationToken);
                await Append(session, ExecutionStatus.CancelRequested);
                session.AfterCommit(() => wakeUps.Raise(Topics.Executions));
                return (current, ExecutionStatus.CancelRequested);
            },
            cancellationToken);
        return new CancelResponse(true, executionId, threadKey, status!) { Idempotent = before == status };

        Task Append(SqlSession session, string to, params (string Name, JsonNode? Value)[] more) =>
            events.Append(session, threadKey, executionId, [ExecutionStateEvent.Of(executionId, threadKey, to, more)], cancellationToken);
    }
}

public sealed record CancelResponse(bool Ok, string ExecutionId, string ThreadKey, string Status)
{
    /// <summary>True where it had ended, or was being cancelled, before; left out else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Idempotent { get; init; }
}
