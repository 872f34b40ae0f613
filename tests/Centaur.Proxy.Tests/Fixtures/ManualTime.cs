namespace Centaur.Proxy.Tests.Fixtures;

/// <summary>A clock that goes when it is told to.</summary>
sealed class ManualTime : TimeProvider
{
    DateTimeOffset now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => now;

    public void Advance(TimeSpan by) => now += by;
}
