namespace Centaur.Server.Executions;

/// <summary>
/// <code>
/// queued ──▶ running ──▶ completed | failed_permanent | cancelled
///   │          │  ▲
///   │          ▼  │
///   │        retry_wait
///   ▼          │
/// cancelled    └──▶ cancel_requested ──▶ cancelled
/// </code>
/// </summary>
public static class ExecutionStatus
{
    public const string Queued = "queued";
    public const string Running = "running";
    public const string CancelRequested = "cancel_requested";
    public const string RetryWait = "retry_wait";
    public const string Completed = "completed";
    public const string FailedPermanent = "failed_permanent";
    public const string Cancelled = "cancelled";

    public static IReadOnlyList<string> All { get; } = [Queued, Running, CancelRequested, RetryWait, Completed, FailedPermanent, Cancelled];

    public static bool IsTerminal(string status) => status is Completed or FailedPermanent or Cancelled;
}
