using System.Text;
using System.Text.Json;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Harness;

namespace Centaur.Runner.Tests.Harness.Codex;

/// <summary>Codex's side of the conversation, line by line, for what the real one does only now and then.</summary>
internal sealed class ScriptedCodex : IHarnessPipe
{
    public const string Thread = "thread-1";

    public CodexDriver Driver { get; } = new();

    public List<JsonElement> Written { get; } = [];

    public List<JsonElement> Events { get; } = [];

    public int EndedTurns { get; private set; }

    public IEnumerable<string> EventTypes => Events.Select(happened => happened.GetProperty("type").GetString()!);

    /// <summary>Up to a thread that waits for a turn.</summary>
    public static async Task<ScriptedCodex> Ready(CancellationToken cancellationToken, string? resume = null)
    {
        var codex = new ScriptedCodex();
        await codex.Driver.Start(Launch(resume), codex, cancellationToken);
        await codex.Answer("initialize", "{}", cancellationToken);
        if (resume is null)
            await codex.Answer("thread/start", """{"thread":{"id":"thread-1"},"model":"m"}""", cancellationToken);
        return codex;
    }

    public static HarnessLaunch Launch(string? resume = null) => new()
    {
        Driver = "codex",
        Program = "/opt/codex",
        Version = "0",
        ModelApi = "responses",
        BaseUrl = "https://model.example/v1",
        KeyVariable = "KEY",
        ResumeThreadId = resume,
    };

    public static JsonElement Message(string text) => JsonElement.Parse($$"""{"role":"user","content":[{"type":"text","text":"{{text}}"}]}""");

    public async Task Begin(string text, string turn, CancellationToken cancellationToken)
    {
        await Driver.StartTurn(Message(text), cancellationToken);
        await Answer("turn/start", $$$"""{"turn":{"id":"{{{turn}}}"}}""", cancellationToken);
    }

    public Task Answer(string method, string result, CancellationToken cancellationToken) =>
        Tell($$"""{"id":{{Last(method).GetProperty("id")}},"result":{{result}}}""", cancellationToken);

    public Task Refuse(string method, string message, CancellationToken cancellationToken) =>
        Tell($$$"""{"id":{{{Last(method).GetProperty("id")}}},"error":{"code":-32600,"message":"{{{message}}}"}}""", cancellationToken);

    public Task Complete(string turn, string status, CancellationToken cancellationToken, string thread = Thread) =>
        Tell($$$$"""{"method":"turn/completed","params":{"threadId":"{{{{thread}}}}","turn":{"id":"{{{{turn}}}}","status":"{{{{status}}}}"}}}""", cancellationToken);

    public Task Tell(string line, CancellationToken cancellationToken) => Driver.Receive(JsonElement.Parse(line), cancellationToken);

    public JsonElement Last(string method) =>
        Written.Last(line => line.TryGetProperty("method", out var name) && name.GetString() == method);

    public int Count(string method) => Written.Count(line => line.TryGetProperty("method", out var name) && name.GetString() == method);

    public Task Write(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) => Keep(Written, json);

    public Task Emit(ReadOnlyMemory<byte> json, CancellationToken cancellationToken) => Keep(Events, json);

    public void EndTurn() => EndedTurns++;

    static Task Keep(List<JsonElement> list, ReadOnlyMemory<byte> json)
    {
        list.Add(JsonElement.Parse(Encoding.UTF8.GetString(json.Span)));
        return Task.CompletedTask;
    }
}
