using System.Runtime.InteropServices;

namespace Centaur.Runner.Native;

/// <summary>Whole messages with descriptors attached, over a sequenced-packet socket (SCM_RIGHTS).</summary>
internal static unsafe partial class MessageSocket
{
    /// <summary>The longest message: what the kernel's default send buffer takes.</summary>
    public const int MaxBytes = 160 * 1024;

    const int MaxDescriptors = 4;
    const int HeaderBytes = 16;
    const int SolSocket = 1;
    const int ScmRights = 1;
    const int NoSignal = 0x4000;
    const int CloseOnExec = 0x40000000;

    /// <exception cref="IOException">The other side is gone, or the message is too long.</exception>
    public static void Send(int socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
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
                message.ControlLength = (nuint)(HeaderBytes + (descriptors.Length * sizeof(int) + 7 & ~7));
            }

            while (sendmsg(socket, &message, NoSignal) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
                    throw new IOException($"Send to the jail: {Libc.Reason()}");
            }
        }
    }

    /// <summary>Blocks for the next message. Returns 0 at the end.</summary>
    public static int Receive(int socket, Span<byte> buffer, List<int> descriptors)
    {
        var control = stackalloc byte[HeaderBytes + MaxDescriptors * sizeof(int)];
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = HeaderBytes + MaxDescriptors * sizeof(int) };
            nint read;
            while ((read = recvmsg(socket, &message, CloseOnExec)) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
                    return 0;
            }

            if (message.ControlLength >= HeaderBytes && ((ControlHeader*)control)->Type == ScmRights)
            {
                var count = (int)((((ControlHeader*)control)->Length - HeaderBytes) / sizeof(int));
                for (var i = 0; i < count; i++)
                    descriptors.Add(((int*)(control + HeaderBytes))[i]);
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
