using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Executions;

/// <summary>
/// The places of one worker in one term: as many executions as it runs at once, of which some are kept for people (wire contract §2.1). Its loops claim one after
/// another, so that it always knows exactly what it runs. A claim whose answer was lost may have been made, and an execution that could not be given back is still
/// ours: while this worker lives no reaper takes them away. So after an outage everything that names this worker and does not run here is given back first.
/// </summary>
internal sealed class ExecutionSlots(ExecutionClaims claims, ExecutionOptions options, WakeUps wakeUps) : IDisposable
{
    readonly SemaphoreSlim claiming = new(1, 1);
    readonly HashSet<string> running = new(StringComparer.Ordinal);
    int ofWorkflows;
    bool isInDoubt;

    /// <summary>Takes an execution that there is a place for; null where none waits. Each that was taken is given to <see cref="Leave"/> in the end.</summary>
    public async Task<ClaimedExecution?> Claim(CancellationToken cancellationToken)
    {
        await claiming.WaitAsync(cancellationToken);
        try
        {
            if (isInDoubt)
                await claims.ReturnAllBut(running, cancellationToken);
            isInDoubt = false;
            var claimed = await claims.Claim(workflows: ofWorkflows < options.WorkflowSlots, cancellationToken);
            if (claimed is null)
                return null;
            running.Add(claimed.ExecutionId);
            ofWorkflows += claimed.OfWorkflow ? 1 : 0;
            return claimed;
        }
        catch (Exception e) when (Outages.IsOutage(e))
        {
            isInDoubt = true;
            throw;
        }
        finally
        {
            claiming.Release();
        }
    }

    /// <summary>Frees the place. A loop that found only executions of workflows, and no place for them, looks again.</summary>
    /// <param name="execution">It does not run here any more.</param>
    /// <param name="isOurs">It could not be given back.</param>
    public async Task Leave(ClaimedExecution execution, bool isOurs)
    {
        await claiming.WaitAsync(CancellationToken.None);
        running.Remove(execution.ExecutionId);
        isInDoubt |= isOurs;
        ofWorkflows -= execution.OfWorkflow ? 1 : 0;
        claiming.Release();
        if (execution.OfWorkflow)
            wakeUps.Wake(Topics.Executions);
    }

    public void Dispose() => claiming.Dispose();
}
