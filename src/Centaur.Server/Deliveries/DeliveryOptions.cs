using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Deliveries;

/// <summary>When and how often a delivery is tried, and when somebody is told that it was not made.</summary>
public sealed record DeliveryOptions
{
    /// <summary>A consumer that streamed the answer already has so long to say so before anybody may claim it (contract §2.1).</summary>
    public TimeSpan ReadyGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After so many attempts a delivery is a dead letter.</summary>
    public int MaxAttempts { get; init; } = 50;

    /// <summary>A delivery that was not made so long after it was ready is told to the operator and to the thread.</summary>
    public TimeSpan Overdue { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How often the watchdog looks.</summary>
    public TimeSpan Watch { get; init; } = TimeSpan.FromSeconds(30);

    public static DeliveryOptions Read(Settings settings)
    {
        var section = settings.Root.Section("delivery");
        var standard = new DeliveryOptions();
        return new DeliveryOptions
        {
            ReadyGrace = TimeSpan.FromSeconds(section.Decimal("ready_grace_seconds", standard.ReadyGrace.TotalSeconds, 0, 600, "FINAL_DELIVERY_READY_GRACE_S")),
            MaxAttempts = section.Number("max_attempts", standard.MaxAttempts, 1, 1000, "FINAL_DELIVERY_MAX_ATTEMPTS"),
            Overdue = TimeSpan.FromSeconds(section.Decimal("overdue_seconds", standard.Overdue.TotalSeconds, 1, 86_400)),
            Watch = TimeSpan.FromSeconds(section.Decimal("watch_seconds", standard.Watch.TotalSeconds, 0.1, 3_600)),
        };
    }
}
