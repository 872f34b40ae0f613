using Centaur.Server.Platform.Signals;

namespace Centaur.Server.Access.Keys;

/// <summary>
/// The active keys, in memory for 30 seconds (contract §1.9). A key that is created or revoked anywhere is noticed at once, by a wake-up; the 30 seconds are for
/// the wake-up that was lost.
/// </summary>
internal sealed class ApiKeys : IDisposable
{
    const string Topic = "api-keys";
    static readonly TimeSpan Life = TimeSpan.FromSeconds(30);
    readonly ApiKeyStore store;
    readonly WakeUps wakeUps;
    readonly TimeProvider time;
    readonly Watch watch;
    Snapshot? current;

    public ApiKeys(ApiKeyStore store, WakeUps wakeUps, TimeProvider time)
    {
        (this.store, this.wakeUps, this.time) = (store, wakeUps, time);
        watch = wakeUps.Watch(Topic);
    }

    public async Task<Caller?> Find(string token, CancellationToken cancellationToken)
    {
        var keys = current;
        if (keys is null || keys.Changed.IsCompleted || time.GetElapsedTime(keys.At) > Life)
        {
            var changed = watch.Next();
            current = keys = new Snapshot(await store.Active(cancellationToken), changed, time.GetTimestamp());
        }

        return keys.ByHash.TryGetValue(new ApiKeyToken(token).Hash, out var key) ? new Caller(key.Id.ToString(), key.Name, key.Scopes, null) : null;
    }

    /// <summary>Call it after a key was created or revoked.</summary>
    public void Changed() => wakeUps.Raise(Topic);

    public void Dispose() => watch.Dispose();

    sealed record Snapshot(IReadOnlyDictionary<string, ApiKey> ByHash, Task Changed, long At);
}
