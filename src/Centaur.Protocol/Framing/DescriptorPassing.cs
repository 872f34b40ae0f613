using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Protocol.Framing;

/// <summary>Sends and receives open file descriptors over a unix stream socket (SCM_RIGHTS), which .NET has no call for. 64-bit Linux only.</summary>
public static unsafe partial class DescriptorPassing
{
    const int SolSocket = 1;
    const int ScmRights = 1;
    const int DontWait = 0x40;
    const int NoSignal = 0x4000;
    const int CloseOnExec = 0x40000000;
    const int HeaderBytes = 16;
    const int MaxDescriptors = 8;
    const int Interrupted = 4;
    const int Again = 11;

    /// <summary>Sends <paramref name="bytes"/> whole, with one descriptor attached to the first of them. Blocks for as long as the peer's buffer is full.</summary>
    public static void Send(Socket socket, ReadOnlySpan<byte> bytes, SafeHandle descriptor)
    {
        var held = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            int sent;
            while ((sent = SendOnce(socket, bytes, (int)descriptor.DangerousGetHandle())) < 0)
                Await(socket, SelectMode.SelectWrite);
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
        var control = stackalloc byte[HeaderBytes + MaxDescriptors * sizeof(int)];
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = HeaderBytes + MaxDescriptors * sizeof(int) };
            nint read;
            while ((read = recvmsg((int)socket.Handle, &message, DontWait | CloseOnExec)) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case Again:
                        return null;
                    default:
                        throw new SocketException(Marshal.GetLastPInvokeError());
                }
            }

            if (message.ControlLength >= HeaderBytes && ((ControlHeader*)control)->Level == SolSocket && ((ControlHeader*)control)->Type == ScmRights)
            {
                var count = (int)((((ControlHeader*)control)->Length - HeaderBytes) / sizeof(int));
                for (var i = 0; i < count; i++)
                    received(new SafeFileHandle(((int*)(control + HeaderBytes))[i], ownsHandle: true));
            }

            return (int)read;
        }
    }

    static int SendOnce(Socket socket, ReadOnlySpan<byte> bytes, int descriptor)
    {
        var control = stackalloc byte[HeaderBytes + sizeof(long)];
        *(ControlHeader*)control = new ControlHeader { Length = HeaderBytes + sizeof(int), Level = SolSocket, Type = ScmRights };
        *(int*)(control + HeaderBytes) = descriptor;
        fixed (byte* start = bytes)
        {
            var vector = new Vector { Start = start, Length = (nuint)bytes.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = HeaderBytes + sizeof(long) };
            nint sent;
            while ((sent = sendmsg((int)socket.Handle, &message, NoSignal)) < 0)
            {
                switch (Marshal.GetLastPInvokeError())
                {
                    case Interrupted:
                        continue;
                    case Again:
                        return -1;
                    default:
                        throw new SocketException(Marshal.GetLastPInvokeError());
                }
            }

            return (int)sent;
        }
    }

    static void Await(Socket socket, SelectMode mode) => socket.Poll(Timeout.InfiniteTimeSpan, mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int socket, Message* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int socket, Message* message, int flags);

    [StructLayout(LayoutKind.Sequential)]
    struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }
}
