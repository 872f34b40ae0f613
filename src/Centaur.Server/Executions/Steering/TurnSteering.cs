using System.Text.Json;
using Centaur.Protocol.Attach;
using Centaur.Server.Platform.Signals;
using Centaur.Server.Sandboxes;

namespace Centaur.Server.Executions.Steering;

/// <summary>Brings messages that are sent into a running turn to its harness, in order, beside the pump that reads what it says.</summary>
internal sealed class TurnSteering(SteerStore store, WakeUps wakeUps, ExecutionOptions options)
{
    /// <summary>Runs until it is cancelled, or until the keeper is gone: whoever attaches next goes on.</summary>
    /// <exception cref="FencedException">Somebody else owns the execution.</exception>
    public async Task Run(ClaimedExecution execution, OwnedSandbox sandbox, CancellationToken cancellationToken)
    {
        using var watch = wakeUps.Watch(Topics.Executions);
        while (true)
        {
            var woken = watch.Next();
            foreach (var message in await store.Waiting(execution.ExecutionId, cancellationToken))
                await store.Settle(execution, message, await Offer(execution, sandbox, message, cancellationToken), cancellationToken);
            await watch.Wait(woken, options.Poll, cancellationToken);
        }
    }

    /// <summary>The keeper takes an id once, so an owner that died between this and its record may be followed by one that offers it again.</summary>
    static async Task<string> Offer(ClaimedExecution execution, OwnedSandbox sandbox, UndeliveredMessage message, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(TurnEnvelope.Of([message]));
        try
        {
            var accepted = await sandbox.Keeper.Ask<TurnAccepted>(new SteerTurn(execution.TurnId!, json.RootElement) { Id = message.MessageId }, cancellationToken);
            return accepted.Disposition == SteerReceipts.Applied ? SteerReceipts.Applied : SteerReceipts.Queued;
        }
        catch (KeeperRefusedException e) when (e.Code is RefusalCodes.NoSuchTurn or RefusalCodes.HarnessFailed or RefusalCodes.JailGone)
        {
            return SteerReceipts.Queued;
        }
    }
}
