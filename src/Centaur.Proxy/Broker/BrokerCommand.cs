using System.Net.Sockets;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Linux;
using Centaur.Proxy.Logging;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Broker;

/// <summary>
/// <c>centaur-proxy broker</c>: the one process of a machine that reads values.
/// <para>1. Both sockets are bound, for the own user alone; a socket that a dead broker left is replaced, a live one is not.</para>
/// <para>2. As root it becomes the user that owns the secrets.</para>
/// <para>3. It serves until SIGTERM.</para>
/// </summary>
static class BrokerCommand
{
    public static async Task<int> Run(BrokerOptions options, CancellationToken stoppingToken)
    {
        using var logs = new StandardError(LogLevel.Information);
        var log = logs.CreateLogger("Centaur.Proxy.Broker");
        var starter = Libc.UserId();

        // 1.
        using var control = Bind(options.ControlSocket);
        using var fetch = Bind(options.FetchSocket);

        // 2. What only root may read, the settings and the tokens of the sources, is read before.
        var reader = new SourceReader(BrokerConfigReader.Read(options, EnvironmentVariables.Read()));
        if (options.User is { } user && user != starter)
            Libc.BecomeUser(user);
        Libc.ForbidDumps();

        // 3.
        var grants = new GrantTable();
        await using var values = new ValueCache(reader, TimeProvider.System, log);
        values.Gone = source => _ = grants.Forget(source, stoppingToken);
        var mayGrant = new HashSet<uint> { 0, starter };
        log.BrokerListening(options.ControlSocket, options.FetchSocket);
        var serving = Task.WhenAll(
            Accept(control, socket => new ControlConnection(socket, grants, mayGrant, log), (connection, token) => connection.Run(token), stoppingToken),
            Accept(fetch, socket => new FetchConnection(socket, grants, values, options.Terms), (connection, token) => connection.Run(token), stoppingToken),
            values.Tend(options.Terms.TendEvery, stoppingToken));
        try
        {
            await serving;
        }
        catch (OperationCanceledException)
        {
            log.BrokerEnded();
        }

        File.Delete(options.ControlSocket);
        File.Delete(options.FetchSocket);
        return 0;
    }

    static async Task Accept<T>(Socket listener, Func<Socket, T> make, Func<T, CancellationToken, Task> run, CancellationToken stoppingToken)
        where T : IDisposable
    {
        while (true)
        {
            var socket = await listener.AcceptAsync(stoppingToken);
            _ = Serve(make(socket), run, stoppingToken);
        }
    }

    static async Task Serve<T>(T connection, Func<T, CancellationToken, Task> run, CancellationToken stoppingToken)
        where T : IDisposable
    {
        using (connection)
        {
            try
            {
                await run(connection, stoppingToken);
            }
            catch (Exception fault) when (fault is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // The peer is gone, or the broker ends.
            }
        }
    }

    static Socket Bind(string path)
    {
        var address = new UnixDomainSocketEndPoint(path);
        using (var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                probe.Connect(address);
                throw new UsageException($"a broker already listens on {path}");
            }
            catch (SocketException)
            {
                File.Delete(path);
            }
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(address);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        socket.Listen(512);
        return socket;
    }
}
