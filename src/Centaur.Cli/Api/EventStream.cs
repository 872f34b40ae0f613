using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Centaur.Cli.Api;

/// <param name="Id">The cursor; null for a live delta, which a stored event supersedes.</param>
/// <param name="Kind">The event's kind.</param>
/// <param name="Data">Its JSON object.</param>
internal sealed record ThreadEvent(long? Id, string Kind, JsonElement Data);

/// <summary>
/// Follows a thread's events (contract §1.6) across broken connections: each stored event once, in order, because every reconnect names the last cursor
/// that was seen.
/// </summary>
internal sealed class EventStream(ApiClient api, string threadKey, string? executionId, bool live)
{
    /// <summary>The last stored event that was read; a new stream begins after it.</summary>
    public long Cursor { get; set; }

    /// <summary>
    /// Reads until the caller has seen enough. A stream that ends is opened again, whether it broke or its server went down in good order;
    /// <paramref name="onBreak"/> is called before, with the number of connections in a row that brought nothing, and waits as long as it likes, or throws to give up.
    /// </summary>
    public async IAsyncEnumerable<ThreadEvent> Read(Func<int, CancellationToken, Task> onBreak, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var failures = 0;
        while (true)
        {
            using var answer = await api.OpenStream(Path(), cancellationToken);
            if (answer is not null)
            {
                var items = SseParser.Create(await answer.Content.ReadAsStreamAsync(cancellationToken)).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
                await using (items)
                {
                    while (await Next(items))
                    {
                        failures = 0;
                        if (Understand(items.Current) is { } read)
                            yield return read;
                    }
                }
            }

            await onBreak(++failures, cancellationToken);
        }
    }

    static async Task<bool> Next(IAsyncEnumerator<SseItem<string>> items)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            return false;
        }
    }

    ThreadEvent? Understand(SseItem<string> item)
    {
        long? id = long.TryParse(item.EventId, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        if (id > Cursor)
            Cursor = id.Value;
        try
        {
            return new ThreadEvent(id, item.EventType, JsonSerializer.Deserialize(item.Data, CliJson.Default.JsonElement));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    string Path()
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/agent/threads/{Uri.EscapeDataString(threadKey)}/events?after_event_id={Cursor}");
        if (executionId is not null)
            path += $"&execution_id={Uri.EscapeDataString(executionId)}";
        return live ? path + "&live=1" : path;
    }
}
