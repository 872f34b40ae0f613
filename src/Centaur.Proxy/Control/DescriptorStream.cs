using System.Collections.Concurrent;
using System.Net.Sockets;
using Centaur.Protocol.Framing;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Proxy.Control;

/// <summary>The control socket as a stream; descriptors that arrive with its bytes queue up beside them.</summary>
sealed class DescriptorStream(Socket socket) : Stream
{
    readonly ConcurrentQueue<SafeFileHandle> descriptors = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The oldest descriptor that nobody has taken.</summary>
    public SafeFileHandle? TakeDescriptor() => descriptors.TryDequeue(out var handle) ? handle : null;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (DescriptorPassing.Receive(socket, buffer.Span, descriptors.Enqueue) is { } read)
                return read;
            await socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
            buffer = buffer[await socket.SendAsync(buffer, cancellationToken)..];
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
