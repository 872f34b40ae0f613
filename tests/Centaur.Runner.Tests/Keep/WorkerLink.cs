using System.Net.Sockets;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Protocol.Framing;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Sandbox;
using Shouldly;

namespace Centaur.Runner.Tests.Keep;

/// <summary>A worker's end of the attach socket. Frames and answers come in one stream; each is read as what it is.</summary>
public sealed class WorkerLink : IAsyncDisposable
{
    readonly NetworkStream stream;
    readonly LineReader reader;
    readonly LineWriter writer;

    public WorkerLink(Socket socket)
    {
        stream = new NetworkStream(socket, ownsSocket: true);
        reader = new LineReader(stream, 64 << 20);
        writer = new LineWriter(stream);
    }

    /// <summary>The frames that were read, in order.</summary>
    public List<Frame> Frames { get; } = [];

    public Task Say(WorkerMessage message, CancellationToken cancellationToken) => writer.Write(message, ProtocolJson.Default.WorkerMessage, cancellationToken);

    public async Task<Attached> Attach(long generation, long afterSeq, CancellationToken cancellationToken)
    {
        await Say(new AttachRequest(generation, afterSeq), cancellationToken);
        return (await Answer(cancellationToken)).ShouldBeOfType<Attached>();
    }

    public async Task Claim(string sandboxId, CancellationToken cancellationToken)
    {
        await Say(new PolicyUpdate(new ProxyPolicy { Version = 1, SandboxId = sandboxId }, null), cancellationToken);
        (await Answer(cancellationToken)).ShouldBe(new PolicyAcknowledged(1));
        await Say(new ClaimRequest(new SandboxIdentity("thread:1", "trace-1", "token-1"), Launch), cancellationToken);
        (await Answer(cancellationToken)).ShouldBe(new Claimed("thread:1"));
    }

    public static HarnessLaunch Launch { get; } = new()
    {
        Driver = "ndjson",
        Program = "/opt/probes/harness",
        Version = "1",
        ModelApi = "responses",
        BaseUrl = "https://model.test/v1",
    };

    /// <summary>The next answer, after the frames that come before it.</summary>
    public async Task<KeeperMessage> Answer(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await Next(cancellationToken) is KeeperMessage message)
                return message;
        }
    }

    /// <summary>Reads frames until one has this type.</summary>
    public async Task<Frame> Until(string type, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await Next(cancellationToken) is Frame frame && frame.Event.GetProperty("type").ValueEquals(type))
                return frame;
        }
    }

    /// <summary>Frames and answers until the keeper closes the connection.</summary>
    public async Task UntilClosed(CancellationToken cancellationToken)
    {
        try
        {
            while (await Next(cancellationToken) is not null)
            {
            }
        }
        catch (EndOfStreamException)
        {
            // That is what was waited for.
        }
    }

    /// <summary>Runs a shell command as a turn and returns what it printed.</summary>
    public async Task<string> Run(string turn, string command, CancellationToken cancellationToken)
    {
        await Say(new UserTurn(turn, Message("text", command)), cancellationToken);
        (await Answer(cancellationToken)).ShouldBe(new TurnAccepted(turn, Repeated: false));
        var result = Frames.LastOrDefault(frame => frame.Turn == turn && frame.Event.GetProperty("type").ValueEquals("result")) ?? await Until("result", cancellationToken);
        result.Turn.ShouldBe(turn);
        return Frames.Last(frame => frame.Event.GetProperty("type").ValueEquals("output")).Event.GetProperty("text").GetString()!;
    }

    public static JsonElement Message(string kind, string text) => JsonDocument.Parse(
        $$"""{"role":"user","content":[{"type":"{{kind}}","text":"{{JsonEncodedText.Encode(text)}}"}]}""").RootElement;

    /// <summary>The next frame or answer, whichever comes.</summary>
    public async Task<object> Next(CancellationToken cancellationToken)
    {
        var line = await reader.Read(cancellationToken);
        if (line.Kind == LineKind.End)
            throw new EndOfStreamException("The keeper closed the connection.");
        using var document = JsonDocument.Parse(line.Bytes);
        if (document.RootElement.TryGetProperty("type", out _))
            return JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.KeeperMessage)!;
        var frame = JsonSerializer.Deserialize(line.Bytes.Span, ProtocolJson.Default.Frame)!;
        Frames.Add(frame);
        return frame;
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        writer.Dispose();
    }
}
