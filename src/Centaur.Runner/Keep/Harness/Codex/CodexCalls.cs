using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>The requests that codex has not answered, each with what its answer leads to.</summary>
internal sealed class CodexCalls
{
    readonly Dictionary<long, Continuation> open = [];
    long last;

    public JsonObject Open(
        string method, JsonObject parameters, Func<JsonElement, CancellationToken, Task> succeeded, Func<string, CancellationToken, Task> failed)
    {
        open[++last] = new Continuation(succeeded, failed);
        return new JsonObject { ["id"] = last, ["method"] = method, ["params"] = parameters };
    }

    public Task Resolve(JsonElement id, JsonElement answer, CancellationToken cancellationToken)
    {
        if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt64(out var number) || !open.Remove(number, out var continuation))
            return Task.CompletedTask;
        return answer.TryGetProperty("result", out var result)
            ? continuation.Succeeded(result, cancellationToken)
            : continuation.Failed(answer.Member("error")?.Text("message") ?? "codex gave no reason", cancellationToken);
    }

    readonly record struct Continuation(Func<JsonElement, CancellationToken, Task> Succeeded, Func<string, CancellationToken, Task> Failed);
}
