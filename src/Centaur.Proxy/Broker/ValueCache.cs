using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Broker;

/// <summary>
/// Values by source. However many ask, a value is read once until it has aged (with jitter, so that not all age together); while its source does not answer,
/// the last value serves on within a bound. A source that says no (removed, forbidden) is believed at once.
/// </summary>
sealed class ValueCache(SourceReader reader, BrokerOptions options, TimeProvider time)
{
    readonly Lock gate = new();
    readonly Dictionary<Key, Entry> entries = [];
    readonly Dictionary<Key, Task<SourceAnswer>> reading = [];

    public async Task<CachedAnswer> Get(string name, SecretSource source, CancellationToken cancellationToken)
    {
        var key = new Key(source.Type, source.Reference ?? name);
        Task<SourceAnswer>? pending;
        lock (gate)
        {
            if (entries.TryGetValue(key, out var entry) && entry.FreshUntil > time.GetUtcNow())
                return new CachedAnswer(entry.Answer, entry.FreshUntil - time.GetUtcNow());
            if (!reading.TryGetValue(key, out pending))
            {
                pending = Read(key, name, source);
                if (!pending.IsCompleted)
                    reading[key] = pending;
            }
        }

        var answer = await pending.WaitAsync(cancellationToken);
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (!entries.TryGetValue(key, out var entry) || !ReferenceEquals(entry.Answer, answer))
                return new CachedAnswer(answer, TimeSpan.Zero);
            return new CachedAnswer(answer, entry.FreshUntil > now ? entry.FreshUntil - now : TimeSpan.FromSeconds(1));
        }
    }

    async Task<SourceAnswer> Read(Key key, string name, SecretSource source)
    {
        var answer = await reader.Read(name, source, CancellationToken.None);
        lock (gate)
        {
            reading.Remove(key);
            var now = time.GetUtcNow();
            if (answer.Value is not null)
            {
                entries[key] = new Entry(answer, now + options.TimeToLive * (0.8 + 0.2 * Random.Shared.NextDouble()), now);
            }
            else if (answer.Code == BrokerFailures.SourceUnavailable && entries.TryGetValue(key, out var old) && now - old.ReadAt < options.MaxStale)
            {
                entries[key] = old with { FreshUntil = now + options.TimeToLive / 4 };
                return old.Answer;
            }
            else
            {
                entries.Remove(key);
            }
        }

        return answer;
    }

    readonly record struct Key(string Type, string Reference);

    sealed record Entry(SourceAnswer Answer, DateTimeOffset FreshUntil, DateTimeOffset ReadAt);
}

/// <param name="Answer">The value, or why there is none.</param>
/// <param name="MaxAge">How long whoever gets it may use it.</param>
readonly record struct CachedAnswer(SourceAnswer Answer, TimeSpan MaxAge);
