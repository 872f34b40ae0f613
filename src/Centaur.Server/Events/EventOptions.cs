using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Events;

/// <summary>How long the event log is kept.</summary>
internal sealed record EventOptions
{
    /// <summary>Events older than this are removed, a day at a time; null keeps them for ever.</summary>
    public TimeSpan? Keep { get; init; }

    public static EventOptions Read(Settings settings)
    {
        var days = settings.Root.Section("events").Decimal("keep_days", 0, 0, 36_500, whole: true);
        return new EventOptions { Keep = days > 0 ? TimeSpan.FromDays(days) : null };
    }
}
