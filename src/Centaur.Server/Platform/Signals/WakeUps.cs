using System.Collections.Concurrent;

namespace Centaur.Server.Platform.Signals;

/// <summary>
/// Wakes readers and workers of this process when a table that they watch has changed. A wake-up carries no data: who is woken reads the table, and who is
/// never woken polls slowly, so that a lost signal costs one poll and nothing else (design §4).
/// <code>
/// using var watch = wakeUps.Watch(topic);
/// while (true)
/// {
///     var woken = watch.Next();          // armed before the look, so that nothing falls in between
///     if (await LookAtTheTable()) continue;
///     await watch.Wait(woken, poll, cancellationToken);
/// }
/// </code>
/// </summary>
public sealed class WakeUps(TimeProvider time)
{
    readonly ConcurrentDictionary<string, Topic> topics = new(StringComparer.Ordinal);

    /// <summary>Given every topic that is raised here, for the replicas; set once, by the relay.</summary>
    internal Action<string>? Relay { get; set; }

    public Watch Watch(string topic)
    {
        while (true)
        {
            var found = topics.GetOrAdd(topic, static name => new Topic(name));
            if (found.TryEnter())
                return new Watch(this, found, time);
            topics.TryRemove(KeyValuePair.Create(topic, found));
        }
    }

    /// <summary>Wakes whoever watches the topic, here and, soon, in the other replicas. Call it after the commit.</summary>
    public void Raise(string topic)
    {
        Wake(topic);
        Relay?.Invoke(topic);
    }

    /// <summary>Wakes whoever watches the topic in this process alone.</summary>
    internal void Wake(string topic)
    {
        if (topics.TryGetValue(topic, out var found))
            found.Wake();
    }

    /// <summary>After a gap in the notifications nobody knows what was missed.</summary>
    internal void WakeAll()
    {
        foreach (var topic in topics.Values)
            topic.Wake();
    }

    internal void Leave(Topic topic)
    {
        if (topic.Leave())
            topics.TryRemove(KeyValuePair.Create(topic.Name, topic));
    }

    internal sealed class Topic(string name)
    {
        readonly Lock gate = new();
        TaskCompletionSource next = New();
        int watchers;
        bool closed;

        public string Name => name;

        public Task Next
        {
            get
            {
                lock (gate)
                    return next.Task;
            }
        }

        public bool TryEnter()
        {
            lock (gate)
            {
                if (!closed)
                    watchers++;
                return !closed;
            }
        }

        public bool Leave()
        {
            lock (gate)
                return closed = --watchers == 0;
        }

        public void Wake()
        {
            TaskCompletionSource woken;
            lock (gate)
                (woken, next) = (next, New());
            woken.SetResult();
        }

        static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>One watcher's hold on a topic.</summary>
public sealed class Watch : IDisposable
{
    readonly WakeUps owner;
    readonly WakeUps.Topic topic;
    readonly TimeProvider time;

    internal Watch(WakeUps owner, WakeUps.Topic topic, TimeProvider time) => (this.owner, this.topic, this.time) = (owner, topic, time);

    /// <summary>Completes at the next wake-up after this call.</summary>
    public Task Next() => topic.Next;

    /// <summary>Waits for the wake-up, or until it is time to poll.</summary>
    public async Task Wait(Task woken, TimeSpan poll, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(woken, Task.Delay(poll, time, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => owner.Leave(topic);
}

/// <summary>The names of what can be watched.</summary>
public static class Topics
{
    /// <summary>An execution was queued, requeued or asked to cancel.</summary>
    public const string Executions = "executions";

    /// <summary>A sandbox is wanted or no longer wanted.</summary>
    public const string Sandboxes = "sandboxes";

    /// <summary>Spare sandboxes are wanted at once.</summary>
    public const string WarmPool = "warm-pool";

    /// <summary>Something is ready to be delivered.</summary>
    public const string Deliveries = "deliveries";

    /// <summary>A turn has ended.</summary>
    public const string Turns = "turns";

    /// <summary>The thread's event log has grown.</summary>
    public static string Thread(string threadKey) => "thread:" + threadKey;
}
