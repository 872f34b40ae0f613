using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Centaur.Server.Events;

/// <summary>
/// Carries token deltas from a worker to the readers in this process that asked for <c>live=1</c>, before they are merged and stored. Nothing here is kept: a reader
/// that is slow misses deltas, and the stored event that follows says everything (design §4).
/// </summary>
public sealed class LiveDeltas
{
    internal const int Waiting = 256;

    /// <summary>A longer one is no piece of a word: readers wait for it to be stored.</summary>
    const int LongestCharacters = 16 * 1024;

    readonly ConcurrentDictionary<string, Subscription[]> threads = new(StringComparer.Ordinal);

    /// <param name="threadKey">The thread.</param>
    /// <param name="executionId">For readers of one execution; null is for all.</param>
    /// <param name="kind">The event kind.</param>
    /// <param name="json">One JSON object without line feeds.</param>
    public void Publish(string threadKey, string? executionId, string kind, string json)
    {
        if (json.Length > LongestCharacters || !threads.TryGetValue(threadKey, out var subscriptions))
            return;
        foreach (var subscription in subscriptions)
        {
            if (subscription.ExecutionId is null || executionId is null || subscription.ExecutionId == executionId)
                subscription.Deltas.Writer.TryWrite(new LiveDelta(kind, json));
        }
    }

    internal Subscription Subscribe(string threadKey, string? executionId)
    {
        var subscription = new Subscription(this, threadKey, executionId);
        threads.AddOrUpdate(threadKey, _ => [subscription], (_, others) => [.. others, subscription]);
        return subscription;
    }

    void Leave(Subscription subscription)
    {
        var left = threads.AddOrUpdate(subscription.ThreadKey, _ => [], (_, all) => all.Where(s => s != subscription).ToArray());
        if (left.Length == 0)
            threads.TryRemove(KeyValuePair.Create(subscription.ThreadKey, left));
    }

    internal sealed class Subscription(LiveDeltas owner, string threadKey, string? executionId) : IDisposable
    {
        public string ThreadKey => threadKey;

        public string? ExecutionId => executionId;

        public Channel<LiveDelta> Deltas { get; } = Channel.CreateBounded<LiveDelta>(
            new BoundedChannelOptions(Waiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

        public void Dispose() => owner.Leave(this);
    }
}

internal sealed record LiveDelta(string Kind, string Json);
