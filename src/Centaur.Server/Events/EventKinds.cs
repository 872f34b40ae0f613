namespace Centaur.Server.Events;

/// <summary>The words of <c>agent_execution_events.event_kind</c> (wire contract §2).</summary>
public static class EventKinds
{
    /// <summary>A canonical event of whichever harness; the name is the contract's, from the first one.</summary>
    public const string Harness = "amp_raw_event";
    public const string ExecutionState = "execution_state";
    public const string ExecutionStarted = "execution_started";
    public const string ExecutionSummary = "execution_summary";
    public const string FinalDeliveryReady = "final_delivery_ready";
    public const string FinalDeliveryDelivered = "final_delivery_delivered";

    /// <summary>Not of the contract: the turn has ended long ago, and its author was not told.</summary>
    public const string FinalDeliveryOverdue = "final_delivery_overdue";

    /// <summary>Says what became of a message that was sent into a running turn.</summary>
    public const string ExecutionSteered = "execution_steered";
}
