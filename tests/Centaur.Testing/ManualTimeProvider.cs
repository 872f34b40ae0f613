namespace Centaur.Testing;

/// <summary>A clock that stands still until the test moves it; what waits for it is woken by the move.</summary>
public sealed class ManualTimeProvider(DateTimeOffset start) : TimeProvider
{
    readonly Lock gate = new();
    readonly List<Timer> timers = [];
    DateTimeOffset now = start;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        lock (gate)
            now += by;
        while (Due() is { } timer)
            timer.Fire();
    }

    Timer? Due()
    {
        lock (gate)
            return timers.Find(timer => timer.At <= now);
    }

    sealed class Timer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan period;

        public DateTimeOffset At { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            var isDue = false;
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                period = newPeriod;
                At = clock.now + dueTime;
                isDue = dueTime == TimeSpan.Zero;
                if (dueTime >= TimeSpan.Zero)
                    clock.timers.Add(this);
            }
            if (isDue)
                Fire();
            return true;
        }

        public void Fire()
        {
            lock (clock.gate)
            {
                if (!clock.timers.Remove(this))
                    return;
                if (period > TimeSpan.Zero)
                {
                    At += period;
                    clock.timers.Add(this);
                }
            }
            callback(state);
        }

        public void Dispose()
        {
            lock (clock.gate)
                clock.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
