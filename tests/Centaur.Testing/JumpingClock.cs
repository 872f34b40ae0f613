namespace Centaur.Testing;

/// <summary>A machine's clock that somebody sets: the time of day jumps, and what measures how long something takes goes on, as the kernel has it.</summary>
public sealed class JumpingClock : TimeProvider
{
    long ahead;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref ahead));

    /// <summary>Sets the clock so much ahead of the true time; negative is behind.</summary>
    public void Set(TimeSpan by) => Interlocked.Exchange(ref ahead, by.Ticks);
}
