using System.Runtime.InteropServices;
using Centaur.Runner.Native;

namespace Centaur.Runner.Init;

/// <summary>
/// Two sockets joined. What one side says reaches the other, the end of what it says as well: either may close its half and still listen.
/// A side that does not read stops the other side's reading; at most one buffer waits in each direction.
/// </summary>
internal sealed unsafe class Relay
{
    const int ShutWrite = 1;
    const int NoSignal = 0x4000;

    readonly EventLoop loop;
    readonly byte[] scratch;
    readonly Half left;
    readonly Half right;
    bool closed;

    public Relay(EventLoop loop, byte[] scratch, int first, int second)
    {
        this.loop = loop;
        this.scratch = scratch;
        left = new Half(first);
        right = new Half(second);
        loop.Watch(first, EventLoop.Readable, events => Ready(left, right, events));
        loop.Watch(second, EventLoop.Readable, events => Ready(right, left, events));
    }

    void Ready(Half here, Half there, uint events)
    {
        if ((events & EventLoop.Writable) != 0 && !here.Drain())
            Close();
        else if ((events & (EventLoop.Readable | EventLoop.HungUp | EventLoop.Broken)) != 0 && !here.ReadEnded && there.Waiting.IsEmpty && !Move(here, there))
            Close();
        else if ((events & EventLoop.Broken) != 0)
            Close();

        if (closed)
            return;
        if (here.Done && there.Done)
        {
            Close();
            return;
        }

        // A socket that is hung up is reported whatever is asked of it; with nothing left to do on it, that would spin.
        if ((events & EventLoop.HungUp) != 0 && here.ReadEnded)
        {
            Close();
            return;
        }

        Update(here, there);
        Update(there, here);
    }

    void Update(Half half, Half other)
    {
        var wanted = (half.ReadEnded || !other.Waiting.IsEmpty ? 0 : EventLoop.Readable) | (half.Waiting.IsEmpty ? 0 : EventLoop.Writable);
        if (wanted == half.Watched)
            return;
        half.Watched = wanted;
        loop.Change(half.Descriptor, wanted);
    }

    bool Move(Half from, Half to)
    {
        fixed (byte* start = scratch)
        {
            var read = Libc.recv(from.Descriptor, start, (nuint)scratch.Length, 0);
            if (read < 0)
                return Marshal.GetLastPInvokeError() is Libc.Again or Libc.Interrupted;
            if (read == 0)
            {
                from.ReadEnded = true;
                to.EndWriting();
                return true;
            }

            return to.Write(scratch.AsMemory(0, (int)read));
        }
    }

    void Close()
    {
        if (closed)
            return;
        closed = true;
        foreach (var half in (Half[])[left, right])
        {
            loop.Forget(half.Descriptor);
            Libc.close(half.Descriptor);
        }
    }

    /// <summary>One socket, and what waits to be written to it.</summary>
    sealed class Half(int descriptor)
    {
        bool endWanted;
        bool writeEnded;

        public int Descriptor => descriptor;
        public ReadOnlyMemory<byte> Waiting { get; private set; }
        public uint Watched { get; set; } = EventLoop.Readable;
        public bool ReadEnded { get; set; }
        public bool Done => writeEnded;

        /// <summary>False where the socket is broken.</summary>
        public bool Write(ReadOnlyMemory<byte> bytes)
        {
            var rest = Send(bytes);
            if (rest is null)
                return false;
            Waiting = rest.Value.ToArray();
            return true;
        }

        public bool Drain()
        {
            if (Send(Waiting) is not { } rest)
                return false;
            Waiting = rest;
            if (rest.IsEmpty && endWanted)
                EndWriting();
            return true;
        }

        public void EndWriting()
        {
            endWanted = true;
            if (!Waiting.IsEmpty || writeEnded)
                return;
            writeEnded = true;
            _ = Libc.shutdown(descriptor, ShutWrite);
        }

        ReadOnlyMemory<byte>? Send(ReadOnlyMemory<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                fixed (byte* start = bytes.Span)
                {
                    var sent = Libc.send(descriptor, start, (nuint)bytes.Length, NoSignal);
                    if (sent >= 0)
                        bytes = bytes[(int)sent..];
                    else if (Marshal.GetLastPInvokeError() == Libc.Again)
                        return bytes;
                    else if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
                        return null;
                }
            }

            return bytes;
        }
    }
}
