namespace Centaur.Proxy.Limits;

/// <summary>So many a minute, refilled evenly.</summary>
sealed class RateWindow(int perMinute, TimeProvider time)
{
    readonly Lock gate = new();
    double tokens = perMinute;
    long last = time.GetTimestamp();

    public bool TryTake()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            tokens = Math.Min(perMinute, tokens + time.GetElapsedTime(last, now).TotalMinutes * perMinute);
            last = now;
            if (tokens < 1)
                return false;
            tokens--;
            return true;
        }
    }
}
