using Centaur.Protocol.Framing;

namespace Centaur.Runner.Native;

/// <summary>Whole messages with descriptors attached, over a sequenced-packet socket.</summary>
internal static class MessageSocket
{
    /// <summary>The longest message: what the kernel's default send buffer takes.</summary>
    public const int MaxBytes = 160 * 1024;

    /// <exception cref="IOException">The other side is gone, or the message is too long.</exception>
    public static void Send(int socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        if (DescriptorMessage.Send(socket, bytes, descriptors) < 0)
            throw new IOException($"Send to the jail: {Libc.Reason()}");
    }

    /// <summary>Blocks for the next message. Returns 0 at the end, and where the socket is broken.</summary>
    public static int Receive(int socket, Span<byte> buffer, List<int> descriptors) =>
        Math.Max(0, DescriptorMessage.Receive(socket, buffer, descriptors.Add, wait: true));
}
