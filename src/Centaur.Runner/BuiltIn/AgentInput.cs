using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Centaur.Protocol.Framing;

namespace Centaur.Runner.BuiltIn;

/// <summary>Standard input: user messages become turns; steering and interrupts reach the newest of them.</summary>
internal sealed class AgentInput(Stream stream) : IDisposable
{
    const int MaxLineBytes = 64 << 20;

    readonly Channel<TurnInput> turns = Channel.CreateUnbounded<TurnInput>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    TurnInput? newest;

    public async IAsyncEnumerable<TurnInput> Turns([EnumeratorCancellation] CancellationToken stoppingToken)
    {
        await foreach (var turn in turns.Reader.ReadAllAsync(stoppingToken))
        {
            using (turn)
                yield return turn;
        }
    }

    /// <summary>Reads until the end of the input, which interrupts a turn that still runs: nobody would see its answer.</summary>
    public async Task Pump(CancellationToken stoppingToken)
    {
        await using var reader = new LineReader(stream, MaxLineBytes);
        try
        {
            while (await reader.Read(stoppingToken) is { Kind: not LineKind.End } line)
            {
                if (line.Kind == LineKind.Complete)
                    Take(line.Bytes);
            }
        }
        finally
        {
            newest?.Interrupt();
            turns.Writer.Complete();
        }
    }

    void Take(ReadOnlyMemory<byte> bytes)
    {
        JsonElement line;
        try
        {
            line = JsonElement.Parse(bytes.Span);
        }
        catch (JsonException)
        {
            return;
        }

        if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty("type", out var type))
            return;
        var message = line.TryGetProperty("message", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        var steers = type.ValueEquals("steer") || (line.TryGetProperty("steer", out var steer) && steer.ValueKind == JsonValueKind.True);
        if (type.ValueEquals("interrupt"))
            newest?.Interrupt();
        else if (message.ValueKind == JsonValueKind.Undefined)
            return;
        else if (steers && newest?.Steer(message) == true)
            return;
        else if (steers || type.ValueEquals("user"))
            turns.Writer.TryWrite(newest = new TurnInput(message));
    }

    public void Dispose() => newest?.Dispose();
}
