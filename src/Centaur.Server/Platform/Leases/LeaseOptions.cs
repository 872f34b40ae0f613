namespace Centaur.Server.Platform.Leases;

/// <summary>How long this process may own what it owns without saying that it lives.</summary>
public sealed record LeaseOptions
{
    /// <summary>The lease's length, in the database's time.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often it is renewed; at most a third of <see cref="Length"/>.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(5);
}
