namespace Centaur.Runner.Keep;

/// <summary>Something happened: wakes everybody who waited since the last time. Take <see cref="Next"/> before looking, await it after.</summary>
internal sealed class Pulse
{
    TaskCompletionSource next = New();

    public Task Next => Volatile.Read(ref next).Task;

    public void Signal() => Interlocked.Exchange(ref next, New()).SetResult();

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
