using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Centaur.EndToEnd;

/// <summary>One thread, spoken to over the API as any client would.</summary>
internal sealed class Conversation(Installation installation, string harness, string? threadKey = null)
{
    int generation;

    public string ThreadKey { get; } = threadKey ?? "e2e:" + Guid.CreateVersion7().ToString("N");

    string Path => $"/agent/threads/{Uri.EscapeDataString(ThreadKey)}";

    public async Task Spawn(CancellationToken cancellationToken)
    {
        var spawned = await Post("/agent/spawn", new { thread_key = ThreadKey, harness }, cancellationToken);
        generation = spawned.GetProperty("assignment_generation").GetInt32();
    }

    /// <summary>Says it and queues the turn.</summary>
    /// <returns>The execution's id.</returns>
    public async Task<string> Start(string text, CancellationToken cancellationToken)
    {
        if (generation == 0)
            await Spawn(cancellationToken);
        await Post(
            "/agent/message",
            new { thread_key = ThreadKey, assignment_generation = generation, parts = new[] { new { type = "text", text } } },
            cancellationToken);
        var queued = await Post(
            "/agent/execute",
            new { thread_key = ThreadKey, assignment_generation = generation, delivery = new { channel = "dev", platform = "dev" } },
            cancellationToken);
        return queued.GetProperty("execution_id").GetString()!;
    }

    /// <summary>Says it and waits for the end.</summary>
    public async Task<JsonElement> Say(string text, CancellationToken cancellationToken)
    {
        var execution = await Start(text, cancellationToken);
        return await End(execution, cancellationToken);
    }

    /// <summary>Follows the stream to its end, over as many connections as it takes, and returns the execution.</summary>
    public async Task<JsonElement> End(string execution, CancellationToken cancellationToken)
    {
        await foreach (var _ in Events(execution, 0, cancellationToken))
        {
        }
        return await Execution(execution, cancellationToken);
    }

    /// <summary>Stops the thread: its sandbox, and what runs in it.</summary>
    public Task Stop(CancellationToken cancellationToken) => Post("/agent/stop", new { thread_key = ThreadKey }, cancellationToken);

    public async Task<JsonElement> Execution(string execution, CancellationToken cancellationToken) =>
        await installation.Http.GetFromJsonAsync<JsonElement>($"/agent/executions/{execution}", cancellationToken);

    /// <summary>Stored events after the cursor until the execution has ended. A connection that breaks is made again after the last id that came.</summary>
    public async IAsyncEnumerable<StreamedEvent> Events(
        string? execution, long after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = after;
        while (true)
        {
            var ended = false;
            await foreach (var streamed in Connection(execution, cursor, cancellationToken))
            {
                if (streamed.Kind == EndMarker)
                {
                    ended = true;
                    break;
                }
                cursor = streamed.Id;
                yield return streamed;
            }
            if (ended)
                yield break;
            await Task.Delay(100, cancellationToken);
        }
    }

    const string EndMarker = "\0end";

    async IAsyncEnumerable<StreamedEvent> Connection(
        string? execution, long after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        Stream? stream = null;
        try
        {
            response = await installation.Http.GetAsync(
                $"{Path}/events?after_event_id={after}" + (execution is null ? "" : $"&execution_id={execution}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
                stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        }
        catch (HttpRequestException)
        {
            // The server is away; the caller comes again.
        }
        if (stream is null)
        {
            response?.Dispose();
            yield break;
        }
        using (response)
        {
            await using var items = SseParser.Create(stream).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                StreamedEvent? next = null;
                var broken = false;
                try
                {
                    if (await items.MoveNextAsync())
                        next = new StreamedEvent(long.Parse(items.Current.EventId!, System.Globalization.CultureInfo.InvariantCulture), items.Current.EventType, JsonDocument.Parse(items.Current.Data).RootElement);
                }
                catch (Exception e) when (e is IOException or HttpRequestException)
                {
                    broken = true;
                }
                if (broken)
                    yield break;
                yield return next ?? new StreamedEvent(0, EndMarker, default);
                if (next is null)
                    yield break;
            }
        }
    }

    async Task<JsonElement> Post(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await installation.Http.PostAsJsonAsync(path, body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement
            : throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}: {text}");
    }
}

internal sealed record StreamedEvent(long Id, string Kind, JsonElement Json);
