using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Native;

/// <summary>Two connected unix sockets: one to keep, one to give to a child. Closed on exec, both.</summary>
internal static unsafe class SocketPair
{
    public static (Socket Ours, SafeFileHandle Theirs) Stream() => Open(Libc.SockStream);

    /// <summary>Keeps the borders of messages.</summary>
    public static (Socket Ours, SafeFileHandle Theirs) Sequenced() => Open(Libc.SockSeqpacket);

    static (Socket Ours, SafeFileHandle Theirs) Open(int type)
    {
        var pair = stackalloc int[2];
        Libc.Check(Libc.socketpair(Libc.AfUnix, type | Libc.CloseOnExec, 0, pair), "Make a socket pair");
        return (new Socket(new SafeSocketHandle(pair[0], ownsHandle: true)), new SafeFileHandle(pair[1], ownsHandle: true));
    }
}
