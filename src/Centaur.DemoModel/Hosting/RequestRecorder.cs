using System.Text.Json.Nodes;
using Centaur.DemoModel.Apis;

namespace Centaur.DemoModel.Hosting;

/// <summary>Writes what the model saw, one line of JSON a request, before it is answered. Credentials are left out.</summary>
internal sealed class RequestRecorder(string? path, TimeProvider clock) : IDisposable
{
    static readonly HashSet<string> CredentialHeaders = new(StringComparer.OrdinalIgnoreCase) { "authorization", "x-api-key", "cookie", "proxy-authorization" };

    readonly SemaphoreSlim turn = new(1, 1);

    public async Task Record(HttpRequest request, string credential, JsonNode? body, CancellationToken cancellationToken)
    {
        if (path is null)
            return;
        var headers = new JsonObject();
        foreach (var (name, values) in request.Headers.Where(header => !CredentialHeaders.Contains(header.Key)))
            headers[name.ToLowerInvariant()] = values.ToString();
        var line = new JsonObject
        {
            ["time"] = clock.GetUtcNow().ToString("O"),
            ["method"] = request.Method,
            ["path"] = request.Path.Value,
            ["query"] = request.QueryString.Value,
            ["headers"] = headers,
            ["credential"] = credential,
            ["body"] = body?.DeepClone(),
        };
        await turn.WaitAsync(cancellationToken);
        try
        {
            await File.AppendAllTextAsync(path, line.Line() + "\n", cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
