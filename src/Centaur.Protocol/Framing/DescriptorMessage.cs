using System.Runtime.InteropServices;

namespace Centaur.Protocol.Framing;

/// <summary>
/// One message with open file descriptors attached, over a unix socket of any type (SCM_RIGHTS, unix(7)), for which .NET has no call. 64-bit Linux only. A call that
/// a signal interrupts is repeated; every other error is the caller's.
/// </summary>
public static unsafe partial class DescriptorMessage
{
    /// <summary>Received descriptors beyond so many are closed by the kernel.</summary>
    public const int MaxDescriptors = 8;

    const int SolSocket = 1;
    const int ScmRights = 1;
    const int DontWait = 0x40;
    const int NoSignal = 0x4000;
    const int CloseOnExec = 0x40000000;
    const int HeaderBytes = 16;
    const int Interrupted = 4;

    /// <returns>The bytes that were taken, or -1 and the last error of the platform.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="MaxDescriptors"/>.</exception>
    public static int Send(int socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        var control = stackalloc byte[HeaderBytes + MaxDescriptors * sizeof(int)];
        *(ControlHeader*)control = new ControlHeader { Length = (nuint)(HeaderBytes + descriptors.Length * sizeof(int)), Level = SolSocket, Type = ScmRights };
        descriptors.CopyTo(new Span<int>(control + HeaderBytes, MaxDescriptors));
        fixed (byte* start = bytes)
        {
            var vector = new Vector { Start = start, Length = (nuint)bytes.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                message.Control = control;
                // Rounded up to whole words, as CMSG_SPACE does.
                message.ControlLength = (nuint)(HeaderBytes + (descriptors.Length * sizeof(int) + 7 & ~7));
            }

            nint sent;
            while ((sent = sendmsg(socket, &message, NoSignal)) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
            {
            }

            return (int)sent;
        }
    }

    /// <summary>Receives what is there, and the descriptors that came with it; no program that is started later inherits them.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="received">Takes each descriptor, and with it the duty to close it.</param>
    /// <param name="wait">Whether to block until something is there.</param>
    /// <returns>The bytes; 0 at the end; or -1 and the last error of the platform.</returns>
    public static int Receive(int socket, Span<byte> buffer, Action<int> received, bool wait)
    {
        var control = stackalloc byte[HeaderBytes + MaxDescriptors * sizeof(int)];
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = HeaderBytes + MaxDescriptors * sizeof(int) };
            nint read;
            while ((read = recvmsg(socket, &message, CloseOnExec | (wait ? 0 : DontWait))) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Interrupted)
                    return -1;
            }

            if (message.ControlLength >= HeaderBytes && ((ControlHeader*)control)->Level == SolSocket && ((ControlHeader*)control)->Type == ScmRights)
            {
                var count = (int)((((ControlHeader*)control)->Length - HeaderBytes) / sizeof(int));
                for (var i = 0; i < count; i++)
                    received(((int*)(control + HeaderBytes))[i]);
            }

            return (int)read;
        }
    }

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
