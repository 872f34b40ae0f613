using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Executions;

/// <summary>
/// The places of one worker: as many executions as it runs at once, of which some are kept for people (wire contract §2.1). Its loops claim one after another, so
/// that the count of workflows' executions is exact; a worker counts its own.
/// </summary>
internal sealed class ExecutionSlots(ExecutionClaims claims, ExecutionOptions options, WakeUps wakeUps) : IDisposable
{
    readonly SemaphoreSlim claiming = new(1, 1);
    int ofWorkflows;

    /// <summary>Takes an execution that there is a place for; null where none waits. Each that was taken is given to <see cref="Leave"/> in the end.</summary>
    public async Task<ClaimedExecution?> Claim(CancellationToken cancellationToken)
    {
        await claiming.WaitAsync(cancellationToken);
        try
        {
            var claimed = await claims.Claim(workflows: Volatile.Read(ref ofWorkflows) < options.WorkflowSlots, cancellationToken);
            if (claimed is { OfWorkflow: true })
                Interlocked.Increment(ref ofWorkflows);
            return claimed;
        }
        finally
        {
            claiming.Release();
        }
    }

    /// <summary>Frees the place. A loop that found only executions of workflows, and no place for them, looks again.</summary>
    public void Leave(ClaimedExecution execution)
    {
        if (!execution.OfWorkflow)
            return;
        Interlocked.Decrement(ref ofWorkflows);
        wakeUps.Wake(Topics.Executions);
    }

    public void Dispose() => claiming.Dispose();
}
