using System.Buffers;
using System.IO.Pipelines;

namespace Centaur.Protocol.Framing;

/// <summary>
/// The framing of every process border here: one JSON object a line, ended by a line feed. Lines are capped; a longer one is skipped to its end and
/// reported, so that a peer can neither fill our memory nor desynchronise the stream.
/// </summary>
public sealed class LineReader(Stream stream, int maxLineBytes) : IAsyncDisposable
{
    readonly PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
    long skipped;

    /// <summary>Reads the next line. A last line without a line feed is not a line: a writer that died in the middle of one said nothing.</summary>
    public async ValueTask<Line> Read(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end);
                var oversized = skipped > 0 || line.Length > maxLineBytes;
                var read = oversized ? new Line(LineKind.Oversized, default, skipped + line.Length) : new Line(LineKind.Complete, line.ToArray(), line.Length);
                skipped = 0;
                reader.AdvanceTo(buffer.GetPosition(1, end));
                return read;
            }

            if (result.IsCompleted)
            {
                var rest = skipped + buffer.Length;
                reader.AdvanceTo(buffer.End);
                return new Line(LineKind.End, default, rest);
            }

            if (buffer.Length > maxLineBytes)
            {
                skipped += buffer.Length;
                reader.AdvanceTo(buffer.End);
            }
            else
            {
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
    }

    public ValueTask DisposeAsync() => reader.CompleteAsync();
}

/// <param name="Kind">What was read.</param>
/// <param name="Bytes">The line without its line feed; empty unless <see cref="LineKind.Complete"/>.</param>
/// <param name="Length">Its length in bytes, also where the bytes were skipped.</param>
public readonly record struct Line(LineKind Kind, ReadOnlyMemory<byte> Bytes, long Length);

public enum LineKind
{
    Complete,
    Oversized,
    End,
}
