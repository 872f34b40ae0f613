using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Centaur.Proxy.Postgres.Wire;

/// <summary>
/// Reads the messages of one direction: a type byte, a length that counts itself, a body (PostgreSQL documentation, "Message Formats"). It holds one buffer, whatever
/// the length says; a body that must be seen whole is read by <see cref="ReadBody"/>, whose caller bounds it.
/// </summary>
sealed class WireReader(Stream stream)
{
    const int HeaderBytes = 5;

    readonly byte[] buffer = new byte[32 * 1024];
    int start;
    int end;

    /// <summary>True where the next header would have to be waited for: the moment to flush what was written.</summary>
    public bool WouldWait => end - start < HeaderBytes;

    /// <summary>The next header, or null where the stream ended between two messages.</summary>
    public async ValueTask<WireHeader?> ReadHeader(CancellationToken cancellationToken)
    {
        if (!await Fill(HeaderBytes, cancellationToken))
            return null;
        var type = buffer[start];
        var length = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(start + 1));
        start += HeaderBytes;
        return length >= 4 ? new WireHeader(type, length - 4) : throw PostgresFault.Protocol("A message says that it is shorter than its own length.");
    }

    /// <summary>A 32-bit number without a type byte before it, as the startup packet begins; null at the end of the stream.</summary>
    public async ValueTask<int?> ReadInt32(CancellationToken cancellationToken)
    {
        if (!await Fill(4, cancellationToken))
            return null;
        start += 4;
        return BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(start - 4));
    }

    public async ValueTask<byte[]> ReadBody(int length, CancellationToken cancellationToken)
    {
        var body = new byte[length];
        for (var at = 0; at < length;)
        {
            var piece = await Next(length - at, cancellationToken);
            piece.Span.CopyTo(body.AsSpan(at));
            at += piece.Length;
        }

        return body;
    }

    public async ValueTask CopyBody(int length, WireWriter to, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            var piece = await Next(length, cancellationToken);
            await to.Write(piece, cancellationToken);
            length -= piece.Length;
        }
    }

    public async ValueTask Skip(int length, CancellationToken cancellationToken)
    {
        while (length > 0)
            length -= (await Next(length, cancellationToken)).Length;
    }

    async ValueTask<ReadOnlyMemory<byte>> Next(int most, CancellationToken cancellationToken)
    {
        if (start == end && !await Fill(1, cancellationToken))
            throw new EndOfStreamException("The stream ended inside a message.");
        var count = Math.Min(most, end - start);
        start += count;
        return buffer.AsMemory(start - count, count);
    }

    /// <summary>False where the stream ended and nothing was left of it.</summary>
    async ValueTask<bool> Fill(int least, CancellationToken cancellationToken)
    {
        while (end - start < least)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0)
                return end == 0 ? false : throw new EndOfStreamException("The stream ended inside a message.");
            end += read;
        }

        return true;
    }
}

/// <param name="Type">The letter of the message.</param>
/// <param name="Length">Bytes of its body.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct WireHeader(byte Type, int Length);
