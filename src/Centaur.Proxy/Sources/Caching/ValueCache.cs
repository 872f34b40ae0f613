using Centaur.Protocol.Broker;
using Centaur.Proxy.Logging;

namespace Centaur.Proxy.Sources.Caching;

/// <summary>
/// Values by source.
/// <para>1. A fresh value is handed out. However many ask for one that is not there, it is read once.</para>
/// <para>2. One that has aged is read anew in the background, and handed out meanwhile within a bound: nobody waits where there is something to give.</para>
/// <para>3. A source that says nothing is left alone for a pause that grows; the value of before serves on within the same bound.</para>
/// <para>4. A source that says no (removed, forbidden) is believed at once: the value is dropped, and whoever holds it is told.</para>
/// <para>5. Values that somebody asked for not long ago are read anew when they age, whether or not somebody asks again; the others are forgotten.</para>
/// </summary>
sealed class ValueCache(SourceReader reader, TimeProvider time, ILogger log) : IAsyncDisposable
{
    readonly Lock gate = new();
    readonly Dictionary<SecretSource, CachedValue> values = [];
    readonly CancellationTokenSource ending = new();

    /// <summary>How many sources are kept in mind.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
                return values.Count;
        }
    }

    /// <summary>Told the source whose value must be used no more.</summary>
    public Action<SecretSource>? Gone { get; set; }

    /// <summary>The source by which a secret's value is kept: secrets that name the same place share it.</summary>
    public static SecretSource KeyOf(string name, SecretSource source) => source with { Reference = source.Reference ?? name };

    public async Task<CachedAnswer> Get(string name, SecretSource source, CacheTerms terms, CancellationToken cancellationToken)
    {
        var key = KeyOf(name, source);
        CachedValue? value;
        Task<SourceAnswer> pending;
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (!values.TryGetValue(key, out value))
                values[key] = value = new CachedValue { Terms = terms };
            value.Terms = terms;

            // 2, 3.
            var paused = value.Failure is not null && now < value.PausedUntil;
            if (!paused && (value.Value is null || now >= value.FreshUntil))
                value.Reading ??= Read(key, value);

            // 1.
            if (value.Use(now) is { } usable)
                return usable;
            if (value.Reading is null)
                return new CachedAnswer(value.Failure!, TimeSpan.Zero);
            pending = value.Reading;
        }

        var answer = await pending.WaitAsync(cancellationToken);
        lock (gate)
            return ReferenceEquals(value.Value, answer) ? value.Use(time.GetUtcNow()) ?? new CachedAnswer(answer, TimeSpan.Zero) : new CachedAnswer(answer, TimeSpan.Zero);
    }

    /// <summary>Looks after what has aged, as often as is said, until it is stopped.</summary>
    public async Task Tend(TimeSpan period, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            TendOnce();
    }

    /// <summary>5. One round of looking after what has aged.</summary>
    internal void TendOnce()
    {
        var outdated = new List<SecretSource>();
        lock (gate)
        {
            var now = time.GetUtcNow();
            foreach (var (key, value) in values.ToArray())
            {
                if (value.Value is not null && now >= value.StaleUntil)
                {
                    value.Drop();
                    outdated.Add(key);
                }

                if (value.Reading is not null || value.Failure is not null && now < value.PausedUntil || value.Value is not null && now < value.FreshUntil)
                    continue;
                if (value.InUse(now))
                    value.Reading = Read(key, value);
                else
                    values.Remove(key);
            }
        }

        foreach (var key in outdated)
        {
            log.ValueDropped(SourceForm.Write(key), "its source has not answered for too long");
            Gone?.Invoke(key);
        }
    }

    /// <summary>Ends the readings under way, and what was started for them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (ending.IsCancellationRequested)
            return;
        await ending.CancelAsync();
        Task[] readings;
        lock (gate)
            readings = [.. values.Values.Select(value => value.Reading).OfType<Task>()];
        await Task.WhenAll(readings);
        ending.Dispose();
    }

    /// <summary>Reads once. Not on the asker's thread, which holds the lock, and not under his token: others wait for the same answer.</summary>
    Task<SourceAnswer> Read(SecretSource key, CachedValue value) => Task.Run(async () =>
    {
        var answer = await Ask(key);
        var (dropped, failed, recovered) = (false, false, false);
        lock (gate)
        {
            value.Reading = null;
            var now = time.GetUtcNow();
            if (answer.Value is not null)
            {
                recovered = value.Failure is not null;
                value.Hold(answer, now);
            }
            else if (answer.SaysNothing)
            {
                // 3.
                failed = value.Fail(answer, now);
            }
            else
            {
                // 4.
                dropped = value.Value is not null;
                failed = value.Deny(answer, now) && !dropped;
            }
        }

        if (failed)
            log.SourceFailed(SourceForm.Write(key), answer.Code, answer.Message);
        if (recovered)
            log.SourceRecovered(SourceForm.Write(key));
        if (dropped)
        {
            log.ValueDropped(SourceForm.Write(key), answer.Message);
            Gone?.Invoke(key);
        }

        return answer;
    });

    async Task<SourceAnswer> Ask(SecretSource key)
    {
        try
        {
            return await reader.Read("", key, ending.Token);
        }
        catch (OperationCanceledException)
        {
            return SourceAnswer.Unavailable("the program ends");
        }
        catch (Exception fault)
        {
            // One source must not end the broker for all; the message of an exception might quote a value.
            return SourceAnswer.Unavailable($"reading it failed unexpectedly ({fault.GetType().Name})");
        }
    }
}
