using System.Runtime.InteropServices;
using Centaur.Runner.Native;

namespace Centaur.Runner.Init;

/// <summary>Waits for many descriptors on one thread, so that pid 1 needs no thread to serve a connection and a fork bomb cannot starve it of one.</summary>
internal sealed unsafe class EventLoop
{
    public const uint Readable = 0x1;
    public const uint Writable = 0x4;
    public const uint Broken = 0x8;
    public const uint HungUp = 0x10;

    const int Add = 1;
    const int Remove = 2;
    const int Modify = 3;
    const int Batch = 64;

    readonly int epoll = Libc.Check(Libc.epoll_create1(Libc.CloseOnExec), "Make an epoll instance");
    readonly Dictionary<int, Action<uint>> handlers = [];

    public void Watch(int descriptor, uint events, Action<uint> ready)
    {
        var change = new EpollEvent { Events = events, Data = descriptor };
        Libc.Check(Libc.epoll_ctl(epoll, Add, descriptor, &change), "Watch a descriptor");
        handlers[descriptor] = ready;
    }

    public void Change(int descriptor, uint events)
    {
        var change = new EpollEvent { Events = events, Data = descriptor };
        _ = Libc.epoll_ctl(epoll, Modify, descriptor, &change);
    }

    public void Forget(int descriptor)
    {
        handlers.Remove(descriptor);
        EpollEvent none;
        _ = Libc.epoll_ctl(epoll, Remove, descriptor, &none);
    }

    /// <summary>Calls handlers until <paramref name="ended"/> says that it is over.</summary>
    public void Run(Func<bool> ended)
    {
        var events = stackalloc EpollEvent[Batch];
        while (!ended())
        {
            var count = Libc.epoll_wait(epoll, events, Batch, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted)
                throw new IOException($"Wait for events: {Libc.Reason()}");
            for (var i = 0; i < count; i++)
            {
                // A handler before this one may have closed it.
                if (handlers.TryGetValue((int)events[i].Data, out var ready))
                    ready(events[i].Events);
            }
        }
    }
}
