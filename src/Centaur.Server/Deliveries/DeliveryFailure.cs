namespace Centaur.Server.Deliveries;

/// <summary>Why an attempt failed, in the deliverer's words.</summary>
/// <param name="ConsumerId">Who tried.</param>
/// <param name="Error">For the operator.</param>
/// <param name="RetryAfter">The next attempt is not made before.</param>
public sealed record DeliveryFailure(string? ConsumerId, string Error, TimeSpan RetryAfter)
{
    /// <summary>The classes that no repeat mends (contract §1.8).</summary>
    static readonly HashSet<string> FinalClasses = new(StringComparer.Ordinal)
    {
        "invalid_destination", "restricted_destination", "invalid_payload", "duplicate_or_conflict", "msg_too_long", "user_not_found", "channel_not_found",
        "missing_slack_delivery_target", "account_inactive", "is_archived", "restricted_action", "not_in_channel",
    };

    public bool NonRetryable { get; init; }

    /// <summary>A word that sorts failures, such as the platform's error code.</summary>
    public string? Class { get; init; }

    internal bool IsFinal => NonRetryable || (Class is not null && FinalClasses.Contains(Class));

    internal bool NeedsLiveLease => NonRetryable || Class is not null;

    internal string Text => Class is null ? Error : $"{Class}: {Error}";
}
