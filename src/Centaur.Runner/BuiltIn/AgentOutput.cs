using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.Runner.BuiltIn;

/// <summary>The only writer of standard output: one event a line, flushed at once.</summary>
internal sealed class AgentOutput(Stream stream) : IDisposable
{
    readonly SemaphoreSlim turn = new(1, 1);

    public async Task Emit(JsonObject happened, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer))
            happened.WriteTo(writer);
        buffer.WriteByte((byte)'\n');
        await turn.WaitAsync(cancellationToken);
        try
        {
            // A line that was begun is finished: half a line would spoil the next.
            await stream.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), CancellationToken.None);
            await stream.FlushAsync(CancellationToken.None);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
