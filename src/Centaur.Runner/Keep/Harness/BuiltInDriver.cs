using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness;

/// <summary>The built-in harness: <c>centaur-runner agent</c> in the jail, which already speaks canonical events, so lines pass through unchanged.</summary>
internal sealed class BuiltInDriver : IHarnessDriver
{
    IHarnessPipe pipe = null!;
    bool running;

    public HarnessCommand Command(HarnessLaunch launch)
    {
        var environment = new Dictionary<string, string>(launch.Environment)
        {
            ["CENTAUR_MODEL_API"] = launch.ModelApi,
            ["CENTAUR_MODEL_BASE_URL"] = launch.BaseUrl,
            ["CENTAUR_MODEL"] = launch.Model ?? "default",
        };
        if (launch.KeyVariable is { } variable)
            environment["CENTAUR_MODEL_KEY_VARIABLE"] = variable;
        string[] arguments = launch.ResumeThreadId is { } session ? [JailPaths.Runner, "agent", "--resume", session] : [JailPaths.Runner, "agent"];
        return new HarnessCommand(arguments, environment,
            launch.Instructions is { } instructions ? [new HarnessFile(JailPaths.Workspace + "/AGENTS.md", instructions)] : []);
    }

    public Task Start(HarnessLaunch launch, IHarnessPipe pipe, CancellationToken cancellationToken)
    {
        this.pipe = pipe;
        return Task.CompletedTask;
    }

    public Task StartTurn(JsonElement message, CancellationToken cancellationToken)
    {
        running = true;
        return Write("user", message, cancellationToken);
    }

    public async Task<bool> Steer(JsonElement message, CancellationToken cancellationToken)
    {
        if (running)
            await Write("steer", message, cancellationToken);
        return running;
    }

    public Task Interrupt(CancellationToken cancellationToken) =>
        running ? pipe.Write("""{"type":"interrupt"}"""u8.ToArray(), cancellationToken) : Task.CompletedTask;

    public async Task Receive(JsonElement line, CancellationToken cancellationToken)
    {
        await pipe.Emit(Bytes(line), cancellationToken);
        if (!running || !line.TryGetProperty("type", out var type) || !type.ValueEquals("result"))
            return;
        running = false;
        pipe.EndTurn();
    }

    Task Write(string type, JsonElement message, CancellationToken cancellationToken) =>
        pipe.Write(Codex.JsonLine.Of(new JsonObject { ["type"] = type, ["message"] = JsonNode.Parse(message.GetRawText()) }), cancellationToken);

    static ReadOnlyMemory<byte> Bytes(JsonElement line) => System.Text.Encoding.UTF8.GetBytes(line.GetRawText());
}
