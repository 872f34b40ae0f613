using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Centaur.Protocol.Framing;

/// <summary>Writes one JSON object a line; writers on several threads take turns, so lines never interleave.</summary>
public sealed class LineWriter(Stream stream) : IDisposable
{
    readonly SemaphoreSlim turn = new(1, 1);

    public Task Write<T>(T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var line = new byte[bytes.Length + 1];
        bytes.CopyTo(line, 0);
        line[^1] = (byte)'\n';
        return Write(line, cancellationToken);
    }

    /// <param name="lines">Whole lines, each with its line feed.</param>
    /// <param name="cancellationToken">Cancels the wait for a turn and the write.</param>
    public async Task Write(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await stream.WriteAsync(lines, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
