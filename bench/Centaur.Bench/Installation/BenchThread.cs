using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Centaur.Bench.Installation;

/// <summary>One thread, spoken to over the API as any client would.</summary>
internal sealed class BenchThread(BenchHome home, string harness)
{
    int generation;

    public string Key { get; } = "bench:" + Guid.CreateVersion7().ToString("N");

    public async Task Spawn(CancellationToken cancellationToken) =>
        generation = (await Post("/agent/spawn", new { thread_key = Key, harness }, cancellationToken)).GetProperty("assignment_generation").GetInt32();

    public Task Say(string text, CancellationToken cancellationToken) =>
        Post("/agent/message", new { thread_key = Key, assignment_generation = generation, parts = new[] { new { type = "text", text } } }, cancellationToken);

    /// <returns>The execution's id.</returns>
    public async Task<string> Execute(CancellationToken cancellationToken) =>
        (await Post("/agent/execute", new { thread_key = Key, assignment_generation = generation, delivery = new { channel = "dev", platform = "dev" } }, cancellationToken))
        .GetProperty("execution_id").GetString()!;

    /// <summary>The thread's events from its first, without an end. The connection stands when the first wait for an event begins.</summary>
    public async Task<IAsyncEnumerator<BenchEvent>> Follow(bool live, CancellationToken cancellationToken) =>
        Read(await Open(live, cancellationToken), cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <summary>The thread's stream, which nobody reads yet.</summary>
    public async Task<HttpResponseMessage> Open(bool live, CancellationToken cancellationToken)
    {
        var path = $"/agent/threads/{Uri.EscapeDataString(Key)}/events?after_event_id=0{(live ? "&live=1" : "")}";
        var response = await home.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }

    /// <summary>Waits for the execution's end without reading its events.</summary>
    public async Task Completed(string execution, CancellationToken cancellationToken)
    {
        while (true)
        {
            var status = (await home.Http.GetFromJsonAsync<JsonElement>($"/agent/executions/{execution}", cancellationToken)).GetProperty("status").GetString();
            if (status == "completed")
                return;
            if (status is "failed_permanent" or "cancelled")
                throw new InvalidOperationException($"The turn ended {status}.");
            await Task.Delay(100, cancellationToken);
        }
    }

    /// <summary>Runs one turn to its terminal event, and fails where it did not succeed.</summary>
    public static async Task End(IAsyncEnumerator<BenchEvent> events, string execution)
    {
        while (await events.MoveNextAsync())
        {
            if (events.Current.EndOf(execution) is not { } status)
                continue;
            if (status != "completed")
                throw new InvalidOperationException($"The turn ended {status}: {events.Current.Json}");
            return;
        }

        throw new InvalidOperationException("The stream ended before the turn.");
    }

    static async IAsyncEnumerable<BenchEvent> Read(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using (response)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
                yield return new BenchEvent(Stopwatch.GetTimestamp(), item.EventType, item.Data);
        }
    }

    async Task<JsonElement> Post(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await home.Http.PostAsJsonAsync(path, body, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? JsonElement.Parse(text)
            : throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}: {text}");
    }
}

/// <param name="Arrived">A timestamp of the monotonic clock, which a jail shares with us.</param>
/// <param name="Kind">The event's name.</param>
/// <param name="Json">Its data.</param>
internal sealed record BenchEvent(long Arrived, string Kind, string Json)
{
    /// <summary>The terminal status of this execution, where the event tells it.</summary>
    public string? EndOf(string execution)
    {
        if (Kind != "execution_state")
            return null;
        var state = JsonElement.Parse(Json);
        var status = state.GetProperty("status").GetString();
        return state.GetProperty("execution_id").GetString() == execution && status is "completed" or "failed_permanent" or "cancelled" ? status : null;
    }
}
