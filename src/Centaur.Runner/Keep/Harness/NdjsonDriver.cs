using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// The harness that already speaks lines of events: <c>{"type":"user","message":…}</c> goes in, every line that comes out is an event, and
/// <c>result</c>, <c>turn.completed</c>, <c>turn.failed</c> or <c>error</c> ends the turn. An interrupt is <c>{"type":"interrupt"}</c>.
/// </summary>
internal sealed class NdjsonDriver : IHarnessDriver
{
    IHarnessPipe? pipe;

    public HarnessCommand Command(HarnessLaunch launch)
    {
        var environment = new Dictionary<string, string>(launch.Environment) { ["CENTAUR_MODEL_API"] = launch.ModelApi, ["CENTAUR_MODEL_BASE_URL"] = launch.BaseUrl };
        if (launch.Model is { } model)
            environment["CENTAUR_MODEL"] = model;
        if (launch.KeyVariable is { } variable)
            environment["CENTAUR_MODEL_KEY_VARIABLE"] = variable;
        return new HarnessCommand([launch.Program], environment, Instructions(launch));
    }

    public Task Start(HarnessLaunch launch, IHarnessPipe pipe, CancellationToken cancellationToken)
    {
        this.pipe = pipe;
        return Task.CompletedTask;
    }

    public Task StartTurn(JsonElement message, CancellationToken cancellationToken) => Say(message, steer: false, cancellationToken);

    public async Task<bool> Steer(JsonElement message, CancellationToken cancellationToken)
    {
        await Say(message, steer: true, cancellationToken);
        return true;
    }

    public Task Interrupt(CancellationToken cancellationToken) => pipe!.Write("""{"type":"interrupt"}"""u8.ToArray(), cancellationToken);

    public async Task Receive(JsonElement line, CancellationToken cancellationToken)
    {
        await pipe!.Emit(JsonMarshal.GetRawUtf8Value(line).ToArray(), cancellationToken);
        if (line.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            && type.GetString() is "result" or "turn.completed" or "turn.failed" or "error")
            pipe.EndTurn();
    }

    async Task Say(JsonElement message, bool steer, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        await using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "user");
            writer.WritePropertyName("message");
            message.WriteTo(writer);
            if (steer)
                writer.WriteBoolean("steer", true);
            writer.WriteEndObject();
        }

        await pipe!.Write(buffer.WrittenMemory, cancellationToken);
    }

    static HarnessFile[] Instructions(HarnessLaunch launch) =>
        launch.Instructions is { } text ? [new HarnessFile($"{JailPaths.Workspace}/AGENTS.md", text)] : [];
}
