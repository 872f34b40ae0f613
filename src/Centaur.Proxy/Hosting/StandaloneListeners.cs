using System.Net;
using System.Net.Sockets;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Front;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Postgres;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Centaur.Proxy.Hosting;

/// <summary>The stand-alone proxy's listeners. Each is noted, so that no request leads back to it.</summary>
static class StandaloneListeners
{
    public static async Task<ProxyServer> Open(ListenConfig listen, ProxyParts parts, ISideDoor? management, ILoggerProvider logs, ILogger log, CancellationToken cancellationToken)
    {
        var opened = new List<(ListenOptions Options, string Kind)>();
        var server = ProxyServer.Create(
            parts,
            options =>
            {
                void Add(IPEndPoint? where, string kind, Action<ListenOptions> serve)
                {
                    if (where is null)
                        return;
                    if (where.Port != 0)
                        parts.Own.Add(where);
                    options.Listen(where, listener =>
                    {
                        opened.Add((listener, kind));
                        serve(listener);
                    });
                }

                Add(listen.Tunnel, "http", listener => ProxyServer.Guard(listener, parts));
                Add(listen.Http, "direct http", listener => ProxyServer.Guard(listener, parts, Entrance.Http));
                Add(listen.Https, "direct https", listener => ProxyServer.Guard(listener, parts, Entrance.Https));
                Add(listen.Metrics, "metrics http", listener => Serve(listener, new HealthProbe()));
                Add(listen.Management, "management http", listener => Serve(listener, management!));
            },
            logs);
        try
        {
            await server.Start(cancellationToken);
        }
        catch (IOException fault)
        {
            await server.DisposeAsync();
            throw new UsageException($"A listener cannot be had: {fault.Message}");
        }

        foreach (var (options, kind) in opened)
        {
            // The port is known now, where it was left to the system.
            parts.Own.Add(options.IPEndPoint!);
            log.Listening($"{kind}://{options.IPEndPoint}");
        }

        return server;
    }

    public static PostgresListener OpenPostgres(string listen, ProxyParts parts, TimeProvider time)
    {
        EndPoint where = listen.StartsWith('/') ? new UnixDomainSocketEndPoint(listen)
            : ListenConfig.TryParse(listen, out var endpoint) ? endpoint
            : throw new UsageException($"postgres.listen must be address:port, :port or an absolute path, not \"{listen}\"");
        var listener = new Socket(where.AddressFamily, SocketType.Stream, where is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            listener.Bind(where);
            listener.Listen();
        }
        catch (SocketException fault)
        {
            listener.Dispose();
            throw new UsageException($"postgres.listen {listen} cannot be had: {fault.Message}");
        }

        if (listener.LocalEndPoint is IPEndPoint bound)
            parts.Own.Add(bound);
        return parts.Postgres(listener, time);
    }

    static void Serve(ListenOptions listener, ISideDoor door)
    {
        listener.Protocols = HttpProtocols.Http1;
        listener.Use(next => connection =>
        {
            connection.Features.Set(door);
            return next(connection);
        });
    }
}
