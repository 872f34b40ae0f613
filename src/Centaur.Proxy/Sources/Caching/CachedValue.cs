namespace Centaur.Proxy.Sources.Caching;

/// <summary>What the cache knows of one source: the last value while it may be used, the reading under way, and the failures since. Guarded by the cache's lock.</summary>
sealed class CachedValue
{
    int failures;
    DateTimeOffset askedAt;

    /// <summary>The value, or null where none may be used any more.</summary>
    public SourceAnswer? Value { get; private set; }

    public DateTimeOffset FreshUntil { get; private set; }

    public DateTimeOffset StaleUntil { get; private set; }

    /// <summary>Why the last reading brought nothing; null where it brought a value.</summary>
    public SourceAnswer? Failure { get; private set; }

    public DateTimeOffset PausedUntil { get; private set; }

    public required CacheTerms Terms { get; set; }

    public Task<SourceAnswer>? Reading { get; set; }

    /// <summary>Takes a value that was just read.</summary>
    public void Hold(SourceAnswer value, DateTimeOffset now)
    {
        (Value, Failure, failures, PausedUntil) = (value, null, 0, now);
        FreshUntil = now + Terms.Freshness();
        StaleUntil = FreshUntil + Terms.MaxStale;
    }

    /// <summary>Notes that the source said nothing.</summary>
    /// <returns>Whether it is the first time in a row.</returns>
    public bool Fail(SourceAnswer failure, DateTimeOffset now)
    {
        Failure = failure;
        PausedUntil = now + Terms.Pause(++failures);
        return failures == 1;
    }

    /// <summary>Believes a source that says no, and asks it again after a moment: who wants the value in a loop must not wear it out.</summary>
    /// <returns>Whether that is news.</returns>
    public bool Deny(SourceAnswer no, DateTimeOffset now)
    {
        var news = Failure?.Code != no.Code;
        (Value, Failure, failures, PausedUntil) = (null, no, 0, now + Terms.Pause(failures: 1));
        return news;
    }

    public void Drop() => Value = null;

    /// <summary>Whether somebody may still use the value.</summary>
    public bool InUse(DateTimeOffset now) => Value is not null && now - askedAt < Terms.Attention;

    /// <summary>Hands the value out: until it has aged, or for a moment where it has and a newer one is on its way.</summary>
    public CachedAnswer? Use(DateTimeOffset now)
    {
        if (Value is null || now >= StaleUntil)
            return null;
        askedAt = now;
        var left = now < FreshUntil ? FreshUntil - now : TimeSpan.FromSeconds(1);
        return new CachedAnswer(Value, left);
    }
}

/// <param name="Answer">The value, or why there is none.</param>
/// <param name="MaxAge">How long whoever gets it may use it.</param>
readonly record struct CachedAnswer(SourceAnswer Answer, TimeSpan MaxAge);
