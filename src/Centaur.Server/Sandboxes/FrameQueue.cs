using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Centaur.Protocol.Attach;

namespace Centaur.Server.Sandboxes;

/// <summary>
/// Frames that were read from a keeper and that nobody has taken yet: so many at most, and so many bytes, but one frame always. Who writes waits for room. One
/// writer, one reader.
/// </summary>
/// <param name="frames">The most frames.</param>
/// <param name="bytes">The most bytes, as the frames came over the socket.</param>
internal sealed class FrameQueue(int frames, long bytes) : ChannelReader<Frame>
{
    readonly Channel<(Frame Frame, int Bytes)> waiting = Channel.CreateBounded<(Frame, int)>(new BoundedChannelOptions(frames) { SingleWriter = true });
    readonly Channel<bool> room = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    long held;

    public async Task Write(Frame frame, int size, CancellationToken cancellationToken)
    {
        while (Interlocked.Read(ref held) is > 0 and var now && now + size > bytes)
            await room.Reader.ReadAsync(cancellationToken);
        Interlocked.Add(ref held, size);
        await waiting.Writer.WriteAsync((frame, size), cancellationToken);
    }

    public void Complete(Exception? error) => waiting.Writer.TryComplete(error);

    public override Task Completion => waiting.Reader.Completion;

    public override bool TryRead([MaybeNullWhen(false)] out Frame item)
    {
        if (!waiting.Reader.TryRead(out var next))
        {
            item = null;
            return false;
        }
        Interlocked.Add(ref held, -next.Bytes);
        // The one writer looks again. It may be signalled without need, never too late.
        room.Writer.TryWrite(true);
        item = next.Frame;
        return true;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => waiting.Reader.WaitToReadAsync(cancellationToken);
}
