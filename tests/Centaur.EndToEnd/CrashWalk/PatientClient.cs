using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Centaur.EndToEnd.CrashWalk;

/// <summary>
/// A client as the contract wants it: every request carries an id of its own and is repeated until it is answered, wherever the server is by then. It records
/// every event that it saw.
/// </summary>
internal sealed class PatientClient(Installation installation)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string ThreadKey { get; } = "walk:" + Guid.CreateVersion7().ToString("N");

    public List<StreamedEvent> Seen { get; } = [];

    public async Task<int> Spawn(CancellationToken cancellationToken) =>
        (await Post("/agent/spawn", new { thread_key = ThreadKey, spawn_id = "spawn", harness = "built-in" }, cancellationToken)).GetProperty("assignment_generation").GetInt32();

    /// <summary>Spawns, says it and queues the turn.</summary>
    /// <returns>The execution's id.</returns>
    public async Task<string> Ask(string text, CancellationToken cancellationToken)
    {
        var generation = await Spawn(cancellationToken);
        await Post(
            "/agent/message", new { thread_key = ThreadKey, assignment_generation = generation, message_id = "question", parts = new[] { new { type = "text", text } } }, cancellationToken);
        var queued = await Post(
            "/agent/execute",
            new { thread_key = ThreadKey, assignment_generation = generation, execute_id = "execute", delivery = new { channel = "walk", platform = "dev" } },
            cancellationToken);
        return queued.GetProperty("execution_id").GetString()!;
    }

    public Task<JsonElement> Steer(string execution, string text, CancellationToken cancellationToken) =>
        Post($"/agent/executions/{execution}/steer", new { message_id = "steer", content_blocks = new[] { new { type = "text", text } } }, cancellationToken);

    public Task<JsonElement> Cancel(string execution, CancellationToken cancellationToken) => Post($"/agent/executions/{execution}/cancel", new { }, cancellationToken);

    /// <summary>Follows the execution until it has ended, or until the caller has seen enough.</summary>
    public async Task Follow(string execution, Func<StreamedEvent, bool>? enough, CancellationToken cancellationToken)
    {
        var conversation = new Conversation(installation, "built-in", ThreadKey);
        await foreach (var streamed in conversation.Events(execution, Seen.Count == 0 ? 0 : Seen[^1].Id, cancellationToken))
        {
            // A stream that is opened after the end may say the end again, under the last id.
            if (Seen.Count > 0 && streamed.Id <= Seen[^1].Id)
                continue;
            Seen.Add(streamed);
            if (enough?.Invoke(streamed) == true)
                return;
        }
    }

    public Task<JsonElement> Get(string path, CancellationToken cancellationToken) => Send(http => http.GetAsync(path, cancellationToken), path, cancellationToken);

    public Task<JsonElement> Post(string path, object body, CancellationToken cancellationToken) => Send(http => http.PostAsJsonAsync(path, body, cancellationToken), path, cancellationToken);

    public Task<JsonElement> Put(string path, object body, CancellationToken cancellationToken) => Send(http => http.PutAsJsonAsync(path, body, cancellationToken), path, cancellationToken);

    /// <summary>A repeat may find that the first try had done it.</summary>
    public Task<JsonElement> Delete(string path, CancellationToken cancellationToken) =>
        Send(http => http.DeleteAsync(path, cancellationToken), path, cancellationToken, HttpStatusCode.NotFound);

    async Task<JsonElement> Send(Func<HttpClient, Task<HttpResponseMessage>> request, string path, CancellationToken cancellationToken, HttpStatusCode? alsoGood = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            try
            {
                using var response = await request(installation.Http);
                var text = await response.Content.ReadAsStringAsync(limit.Token);
                if (response.IsSuccessStatusCode || response.StatusCode == alsoGood)
                    return JsonDocument.Parse(text).RootElement;
                if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
                    throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}: {text}");
            }
            catch (HttpRequestException)
            {
                // It is away; whoever watches it brings it up again.
            }
            await Task.Delay(50, limit.Token);
        }
    }
}
