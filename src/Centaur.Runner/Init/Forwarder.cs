using System.Buffers.Binary;
using System.Net;
using System.Text;
using Centaur.Runner.Native;

namespace Centaur.Runner.Init;

/// <summary>Holds a loopback port of the jail and leads every connection to a unix socket of the keeper's.</summary>
internal sealed unsafe class Forwarder
{
    const int Backlog = 512;
    const int SolSocket = 1;
    const int ReuseAddress = 2;
    const int UnixAddressBytes = 110;
    const int InternetAddressBytes = 16;

    readonly EventLoop loop;
    readonly byte[] scratch;
    readonly string target;
    readonly int listener;

    /// <param name="loop">Serves it.</param>
    /// <param name="scratch">Bytes on their way.</param>
    /// <param name="host">An IPv4 address of the loopback.</param>
    /// <param name="port">The port there.</param>
    /// <param name="target">The unix socket.</param>
    public Forwarder(EventLoop loop, byte[] scratch, string host, int port, string target)
    {
        this.loop = loop;
        this.scratch = scratch;
        this.target = target;
        listener = Libc.Check(Libc.socket(Libc.AfInet, Libc.SockStream | Libc.NonBlocking | Libc.CloseOnExec, 0), "Make a socket");
        var yes = 1;
        _ = Libc.setsockopt(listener, SolSocket, ReuseAddress, &yes, sizeof(int));
        var address = stackalloc byte[InternetAddressBytes];
        new Span<byte>(address, InternetAddressBytes).Clear();
        *(ushort*)address = Libc.AfInet;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), (ushort)port);
        IPAddress.Parse(host).GetAddressBytes().CopyTo(new Span<byte>(address + 4, 4));
        Libc.Check(Libc.bind(listener, address, InternetAddressBytes), $"Bind {host}:{port}");
        Libc.Check(Libc.listen(listener, Backlog), $"Listen on {host}:{port}");
        loop.Watch(listener, EventLoop.Readable, _ => Accept());
    }

    void Accept()
    {
        int client;
        while ((client = Libc.accept4(listener, null, null, Libc.NonBlocking | Libc.CloseOnExec)) >= 0)
        {
            if (Connect() is { } upstream)
                _ = new Relay(loop, scratch, client, upstream);
            else
                Libc.close(client);
        }
    }

    int? Connect()
    {
        var upstream = Libc.socket(Libc.AfUnix, Libc.SockStream | Libc.NonBlocking | Libc.CloseOnExec, 0);
        if (upstream < 0)
            return null;
        var address = stackalloc byte[UnixAddressBytes];
        new Span<byte>(address, UnixAddressBytes).Clear();
        *(ushort*)address = Libc.AfUnix;
        Encoding.UTF8.GetBytes(target, new Span<byte>(address + 2, UnixAddressBytes - 3));
        if (Libc.connect(upstream, address, UnixAddressBytes) == 0)
            return upstream;
        Libc.close(upstream);
        return null;
    }
}
