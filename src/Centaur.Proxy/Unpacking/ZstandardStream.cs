using System.Buffers;

namespace Centaur.Proxy.Unpacking;

/// <summary>Reads what Zstandard packed (RFC 8878), as it comes. It owns the packed stream.</summary>
sealed class ZstandardStream(Stream packed) : Stream
{
    const int BufferSize = 16 * 1024;

    readonly Zstandard.DecoderHandle decoder = Zstandard.Open();
    readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    int start;
    int end;
    bool insideFrame;

    /// <summary>The decoder may hold more plain bytes than the last read had room for.</summary>
    bool mayHoldMore;
    bool disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="InvalidDataException">It is not Zstandard.</exception>
    /// <exception cref="EndOfStreamException">It ends within a frame.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (destination.IsEmpty)
            return 0;
        while (true)
        {
            if (start < end || mayHoldMore)
            {
                var (taken, made, frameEnded) = Zstandard.Decode(decoder, buffer.AsSpan(start, end - start), destination.Span);
                start += taken;
                insideFrame = !frameEnded;
                mayHoldMore = made == destination.Length && !frameEnded;
                if (made > 0)
                    return made;
                if (start < end)
                    continue;
            }

            mayHoldMore = false;
            (start, end) = (0, await packed.ReadAsync(buffer, cancellationToken));
            if (end == 0)
                return insideFrame ? throw new EndOfStreamException("The answer ends within what Zstandard packed.") : 0;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (!disposed)
        {
            disposed = true;
            await packed.DisposeAsync();
            decoder.Dispose();
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }

        await base.DisposeAsync();
    }
}
