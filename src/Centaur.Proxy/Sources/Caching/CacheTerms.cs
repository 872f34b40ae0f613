namespace Centaur.Proxy.Sources.Caching;

/// <summary>How long values are used.</summary>
/// <param name="TimeToLive">How old a value may grow before it is read again.</param>
sealed record CacheTerms(TimeSpan TimeToLive)
{
    /// <summary>How much older it may grow while its source does not answer, or is being asked.</summary>
    public TimeSpan MaxStale { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long a value is looked after since somebody last asked for it: what was sent with it, a stream or a session, may still be under way.
    /// </summary>
    public TimeSpan Attention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The longest pause before a source that does not answer is asked again.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to look for values that have aged: soon enough for one that was revoked to be dropped within its time to live.</summary>
    public TimeSpan TendEvery => TimeSpan.FromMilliseconds(Math.Clamp(TimeToLive.TotalMilliseconds / 10, 50, 5000));

    /// <summary>How long one value is fresh: shorter than it may live by what looking and reading take, and by chance, so that not all age together.</summary>
    public TimeSpan Freshness() => TimeToLive * (0.65 + 0.15 * Random.Shared.NextDouble());

    /// <summary>The pause after so many failures in a row: a second, doubled each time, a quarter more or less by chance.</summary>
    public TimeSpan Pause(int failures)
    {
        var seconds = Math.Min(Math.Pow(2, Math.Min(failures - 1, 20)), LongestPause.TotalSeconds);
        return TimeSpan.FromSeconds(seconds * (0.75 + 0.5 * Random.Shared.NextDouble()));
    }
}
