using System.Buffers;
using System.Security.Cryptography;
using Centaur.Proxy.Scanning;

namespace Centaur.Proxy.Forwarding.WebSockets;

/// <summary>
/// Frames on their way in one direction. A payload of any size passes in pieces: each becomes a frame of the same message, so that nothing is kept and what is replaced
/// may change its length. A needle that two frames of a message share is found like any other.
/// </summary>
/// <param name="from">Whence frames come.</param>
/// <param name="to">Where they go.</param>
/// <param name="fromClient">True for the way up: frames are masked on both sides, here with masks of our own.</param>
/// <param name="search">What is replaced in a message that begins now; null for nothing.</param>
sealed class FrameRelay(Stream from, Stream to, bool fromClient, Func<ScanModel?> search) : IDisposable
{
    const int PieceBytes = 16 * 1024;

    readonly byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
    readonly byte[] head = new byte[FrameHeader.MostBytes];
    readonly ArrayBufferWriter<byte> frame = new(PieceBytes + FrameHeader.MostBytes);
    readonly ArrayBufferWriter<byte> payload = new(PieceBytes);
    StreamReplacer? message;
    int opcode;

    /// <summary>Whether some frame of the message has gone on: only the first has its opcode.</summary>
    bool started;

    /// <summary>Bytes of payload that went on.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many needles were replaced.</summary>
    public long Replaced { get; private set; }

    /// <summary>Relays until the stream ends, or its close frame has gone on.</summary>
    /// <exception cref="WebSocketFault">The sender breaks the protocol.</exception>
    public async Task Run(CancellationToken cancellationToken)
    {
        while (await FrameHeader.Read(from, fromClient, head, cancellationToken) is { } header)
        {
            if (header.IsControl)
            {
                await Control(header, cancellationToken);
                if (header.Opcode == FrameHeader.Close)
                    return;
                continue;
            }

            Begin(header);
            await Data(header, cancellationToken);
        }
    }

    public void Dispose()
    {
        End();
        ArrayPool<byte>.Shared.Return(piece, clearArray: true);
    }

    void Begin(FrameHeader header)
    {
        var goesOn = header.Opcode == FrameHeader.Continuation;
        if (goesOn != (opcode != 0))
            throw new WebSocketFault(goesOn ? "a frame goes on with a message that was not begun" : "a message begins inside another");
        if (goesOn)
            return;
        opcode = header.Opcode;
        started = false;
        message = search() is { } model ? new StreamReplacer(model) : null;
    }

    async Task Data(FrameHeader header, CancellationToken cancellationToken)
    {
        for (long at = 0; at < header.Length || at == 0;)
        {
            var count = (int)Math.Min(PieceBytes, header.Length - at);
            await Fill(header, count, at, cancellationToken);
            at += count;
            var last = header.IsFinal && at == header.Length;
            payload.ResetWrittenCount();
            if (message is null)
                payload.Write(piece.AsSpan(0, count));
            else
                message.Push(piece.AsSpan(0, count), last, payload);
            // What the search holds back may still become a needle; an empty frame would say nothing.
            if (payload.WrittenCount > 0 || last)
                await Send(new FrameHeader(last, started ? FrameHeader.Continuation : opcode, payload.WrittenCount, NewMask()), payload.WrittenMemory, cancellationToken);
            started |= payload.WrittenCount > 0;
            if (count == 0)
                break;
        }

        if (!header.IsFinal)
            return;
        End();
        opcode = 0;
    }

    /// <summary>Nothing more comes of the message that is under way.</summary>
    public void End()
    {
        Replaced += message?.Replaced ?? 0;
        message?.Dispose();
        message = null;
    }

    async Task Control(FrameHeader header, CancellationToken cancellationToken)
    {
        await Fill(header, (int)header.Length, 0, cancellationToken);
        var said = new ArrayBufferWriter<byte>();
        if (search() is not { } model)
        {
            said.Write(piece.AsSpan(0, (int)header.Length));
        }
        else
        {
            using var whole = new StreamReplacer(model);
            whole.Push(piece.AsSpan(0, (int)header.Length), last: true, said);
            Replaced += whole.Replaced;
        }

        // A placeholder may be longer than the value in whose place it stands; a control frame may not.
        var kept = said.WrittenMemory[..Math.Min(said.WrittenCount, 125)];
        await Send(new FrameHeader(true, header.Opcode, kept.Length, NewMask()), kept, cancellationToken);
    }

    async ValueTask Fill(FrameHeader header, int count, long offset, CancellationToken cancellationToken)
    {
        await from.ReadExactlyAsync(piece.AsMemory(0, count), cancellationToken);
        if (header.Mask is { } mask)
            FrameHeader.Apply(piece.AsSpan(0, count), mask, offset);
    }

    async ValueTask Send(FrameHeader header, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        frame.ResetWrittenCount();
        frame.Advance(header.Write(frame.GetSpan(FrameHeader.MostBytes)));
        var begin = frame.WrittenCount;
        frame.Write(bytes.Span);
        if (header.Mask is { } mask)
            FrameHeader.Apply(System.Runtime.InteropServices.MemoryMarshal.AsMemory(frame.WrittenMemory).Span[begin..], mask, 0);
        await to.WriteAsync(frame.WrittenMemory, cancellationToken);
        await to.FlushAsync(cancellationToken);
        Bytes += bytes.Length;
    }

    uint? NewMask() => fromClient ? BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))) : null;
}
