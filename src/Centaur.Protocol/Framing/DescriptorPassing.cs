using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Protocol.Framing;

/// <summary>Sends and receives open file descriptors over a unix stream socket of .NET's.</summary>
public static class DescriptorPassing
{
    const int Again = 11;

    /// <summary>Sends <paramref name="bytes"/> whole, with one descriptor attached to the first of them. Blocks for as long as the peer's buffer is full.</summary>
    public static void Send(Socket socket, ReadOnlySpan<byte> bytes, SafeHandle descriptor)
    {
        var held = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            int sent;
            while ((sent = DescriptorMessage.Send((int)socket.Handle, bytes, [(int)descriptor.DangerousGetHandle()])) < 0)
            {
                ThrowUnlessItWouldBlock();
                socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectWrite);
            }

            for (var rest = bytes[sent..]; !rest.IsEmpty; rest = rest[sent..])
                sent = socket.Send(rest);
        }
        finally
        {
            if (held)
                descriptor.DangerousRelease();
        }
    }

    /// <summary>
    /// Reads what is there, and the descriptors that came with it. Returns 0 at the end of the stream, and null where nothing is there yet: wait for
    /// readability (a receive into an empty buffer) and call again.
    /// </summary>
    public static int? Receive(Socket socket, Span<byte> buffer, Action<SafeFileHandle> received)
    {
        var read = DescriptorMessage.Receive((int)socket.Handle, buffer, descriptor => received(new SafeFileHandle(descriptor, ownsHandle: true)), wait: false);
        if (read >= 0)
            return read;
        ThrowUnlessItWouldBlock();
        return null;
    }

    static void ThrowUnlessItWouldBlock()
    {
        var error = Marshal.GetLastPInvokeError();
        if (error != Again)
            throw new SocketException(error);
    }
}
