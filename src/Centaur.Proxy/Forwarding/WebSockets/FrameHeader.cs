using System.Buffers.Binary;

namespace Centaur.Proxy.Forwarding.WebSockets;

/// <summary>The head of one frame (RFC 6455 §5.2).</summary>
/// <param name="IsFinal">The last frame of its message.</param>
/// <param name="Opcode">0 goes on with a message, 1 is text, 2 is binary; from 8 on it is control.</param>
/// <param name="Length">Bytes of payload.</param>
/// <param name="Mask">What the payload is masked with; null where it is not.</param>
readonly record struct FrameHeader(bool IsFinal, int Opcode, long Length, uint? Mask)
{
    public const int MostBytes = 14;
    public const int Continuation = 0;
    public const int Close = 8;
    const int LongestControl = 125;
    const int Final = 0x80;
    const int Masked = 0x80;

    public bool IsControl => Opcode >= Close;

    /// <exception cref="WebSocketFault">The bytes are no frame that may stand here.</exception>
    /// <exception cref="EndOfStreamException">The stream ended inside the head.</exception>
    public static async ValueTask<FrameHeader?> Read(Stream from, bool mustBeMasked, byte[] scratch, CancellationToken cancellationToken)
    {
        if (await from.ReadAtLeastAsync(scratch.AsMemory(0, 2), 2, throwOnEndOfStream: false, cancellationToken) < 2)
            return null;
        var (first, second) = (scratch[0], scratch[1]);
        var header = new FrameHeader((first & Final) != 0, first & 0x0F, second & 0x7F, null);
        if ((first & 0x70) != 0)
            throw new WebSocketFault("a frame uses an extension that was not agreed on");
        if (header.Opcode is > 2 and < Close or > 10)
            throw new WebSocketFault("a frame has an unknown opcode");
        if ((second & Masked) != 0 != mustBeMasked)
            throw new WebSocketFault(mustBeMasked ? "a client's frame is not masked" : "a server's frame is masked");
        if (header.IsControl && (header.Length > LongestControl || !header.IsFinal))
            throw new WebSocketFault("a control frame is too long, or in pieces");

        var extended = header.Length switch { 126 => 2, 127 => 8, _ => 0 };
        var rest = scratch.AsMemory(0, extended + (mustBeMasked ? 4 : 0));
        await from.ReadExactlyAsync(rest, cancellationToken);
        var length = extended switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(scratch),
            8 => BinaryPrimitives.ReadInt64BigEndian(scratch),
            _ => header.Length,
        };
        if (length < 0)
            throw new WebSocketFault("a frame is longer than the protocol allows");
        return header with { Length = length, Mask = mustBeMasked ? BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[extended..]) : null };
    }

    /// <returns>How many bytes were written.</returns>
    public int Write(Span<byte> to)
    {
        to[0] = (byte)((IsFinal ? Final : 0) | Opcode);
        var masked = Mask is null ? 0 : Masked;
        var at = 2;
        if (Length <= LongestControl)
        {
            to[1] = (byte)(masked | (int)Length);
        }
        else if (Length <= ushort.MaxValue)
        {
            to[1] = (byte)(masked | 126);
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)Length);
            at = 4;
        }
        else
        {
            to[1] = (byte)(masked | 127);
            BinaryPrimitives.WriteInt64BigEndian(to[2..], Length);
            at = 10;
        }

        if (Mask is not { } mask)
            return at;
        BinaryPrimitives.WriteUInt32LittleEndian(to[at..], mask);
        return at + 4;
    }

    /// <summary>Masks or unmasks, which is the same (RFC 6455 §5.3).</summary>
    /// <param name="payload">A piece of the payload.</param>
    /// <param name="mask">As it stands in the head, first byte lowest.</param>
    /// <param name="offset">Where in the payload the piece begins.</param>
    public static void Apply(Span<byte> payload, uint mask, long offset)
    {
        for (var i = 0; i < payload.Length; i++)
            payload[i] ^= (byte)(mask >> (int)((offset + i) % 4 * 8));
    }
}

/// <summary>One side breaks the protocol of RFC 6455. The message says how.</summary>
sealed class WebSocketFault(string message) : IOException(message);
