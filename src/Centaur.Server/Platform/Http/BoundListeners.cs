using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Centaur.Server.Platform.Http;

/// <summary>The listeners, once they are open: with port 0 only they know their addresses.</summary>
public sealed class BoundListeners(ListenerOptions options)
{
    ListenOptions? api;
    ListenOptions? @public;

    /// <summary>Base address for operators and clients.</summary>
    public string Api => Address(api) ?? throw new InvalidOperationException("The server does not listen yet.");

    public string Sandboxes => $"unix:{options.SandboxSocket}";

    public string? Public => Address(@public);

    internal void Open(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Listen(options.Api, listen => api = Tag(listen, Listener.Api));
        if (options.Public is { } open)
            kestrel.Listen(open, listen => @public = Tag(listen, Listener.Public));
        kestrel.ListenUnixSocket(options.SandboxSocket, listen => Tag(listen, Listener.Sandbox));
    }

    /// <summary>Says before anything is started that somebody else listens at one of our addresses. Only the start itself is sure.</summary>
    /// <exception cref="AddressInUseException">It is taken.</exception>
    public void MustBeFree()
    {
        foreach (var address in (IPEndPoint?[])[options.Api, options.Public])
        {
            if (address is null or { Port: 0 })
                continue;
            using var probe = new TcpListener(address);
            try
            {
                probe.Start();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw new AddressInUseException($"The server cannot listen at {address}: address already in use.", e);
            }
        }
    }

    static ListenOptions Tag(ListenOptions listen, Listener listener)
    {
        listen.Use(next => connection =>
        {
            connection.Features.Set(new ListenerFeature(listener));
            return next(connection);
        });
        return listen;
    }

    static string? Address(ListenOptions? listen) => listen?.IPEndPoint is { } bound ? $"http://{bound}" : null;

    /// <summary>A socket that a killed server left behind would be an occupied address for ever.</summary>
    /// <param name="folderMode">Of the socket's folder, where it is made now.</param>
    /// <exception cref="AddressInUseException">Another server listens there.</exception>
    internal void FreeSocket(UnixFileMode folderMode)
    {
        var path = options.SandboxSocket;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, folderMode);
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new AddressInUseException($"another server of this Centaur listens at {path}");
    }
}
