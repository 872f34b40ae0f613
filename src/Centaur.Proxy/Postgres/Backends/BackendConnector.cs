using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;
using Centaur.Proxy.Upstream;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>
/// Opens sessions at upstreams.
/// <para>1. The address is dialled by the <see cref="Dialer"/>, guarded as every other. 2. TLS. 3. Login. 4. The server reports its parameters; what would blind the judge ends it.
/// 5. Pinned settings, then the role.</para>
/// </summary>
sealed class BackendConnector(Dialer dialer)
{
    /// <summary>What a server says before it is ready is short.</summary>
    const int LongestMessage = 64 * 1024;

    public async Task<Backend> Open(Dsn dsn, UpstreamMap? map, DatabaseGrant database, IReadOnlyDictionary<string, string> parameters, CancellationToken cancellationToken)
    {
        // 1. and 2.
        var (stream, isPrivate) = await Connect(dsn, map, cancellationToken);
        var backend = new Backend(stream, dsn, map);
        try
        {
            // 3.
            var startup = new WireMessage(null).Int32(StartupPacket.Version3).Text("user").Text(dsn.User).Text("database").Text(dsn.Database);
            foreach (var (name, value) in parameters)
                startup.Text(name).Text(value);
            await Send(backend, startup.Raw("\0"u8).Build(), cancellationToken);
            await new BackendLogin(backend, dsn, stream as SslStream, isPrivate).Run(cancellationToken);

            // 4.
            await UntilReady(backend, cancellationToken);
            if (backend.Parameters.GetValueOrDefault("standard_conforming_strings") != "on")
                throw Unsuitable("standard_conforming_strings is off for this user or database.");
            if (backend.Parameters.GetValueOrDefault("server_encoding") is not ("UTF8" or "SQL_ASCII"))
                throw Unsuitable("The database's encoding is neither UTF8 nor SQL_ASCII.");
            if (!SessionRules.IsReadable(backend.Parameters.GetValueOrDefault("client_encoding", "")))
                throw Unsuitable("The session's client_encoding is not supported.");

            // 5.
            if (SetUp(database) is { } setup)
            {
                await Send(backend, WireMessage.Query(setup), cancellationToken);
                await UntilReady(backend, cancellationToken);
            }

            return backend;
        }
        catch
        {
            await backend.DisposeAsync();
            throw;
        }
    }

    /// <summary>Passes a cancellation on, and waits until the server has closed: then it has done what it does.</summary>
    public async Task Cancel(Backend backend, CancellationToken cancellationToken)
    {
        var (stream, _) = await Connect(backend.Dsn, backend.Map, cancellationToken);
        await using (stream)
        {
            await stream.WriteAsync(new WireMessage(null).Int32(StartupPacket.CancelRequest).Raw(backend.Key).Build(), cancellationToken);
            var rest = new byte[16];
            while (await stream.ReadAsync(rest, cancellationToken) > 0)
            {
                // Nothing is said before the end.
            }
        }
    }

    async Task<(Stream Stream, bool IsPrivate)> Connect(Dsn dsn, UpstreamMap? map, CancellationToken cancellationToken)
    {
        var socket = await dialer.Dial(dsn.Address.Host, dsn.Address.Port, map, Hop.Database, cancellationToken);
        var isLoopback = socket.RemoteEndPoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address);
        var plain = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var mode = BackendTls.Effective(dsn, map);
            return mode == SslMode.Disable ? (plain, isLoopback) : (await BackendTls.Begin(plain, dsn, mode, map, cancellationToken), true);
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException or System.Security.Cryptography.CryptographicException or FileNotFoundException or DirectoryNotFoundException)
        {
            await plain.DisposeAsync();
            throw new PostgresFault(SqlStates.ConnectionFailure, "The file of trusted authorities (sslrootcert) cannot be read.", "tls_error", fault);
        }
        catch
        {
            await plain.DisposeAsync();
            throw;
        }
    }

    static async Task UntilReady(Backend backend, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (type, body) = await Receive(backend, cancellationToken);
            switch ((char)type)
            {
                case 'Z':
                    return;
                case 'S':
                    var (name, value) = BackendMessages.Parameter(body);
                    backend.Parameters[name] = value;
                    break;
                case 'K':
                    backend.Key = body;
                    break;
                case 'E':
                    throw BackendMessages.Refused(body, "The upstream refused the session or its settings");
            }
        }
    }

    public static async Task<(byte Type, byte[] Body)> Receive(Backend backend, CancellationToken cancellationToken)
    {
        var header = await backend.Reader.ReadHeader(cancellationToken) ?? throw new EndOfStreamException("The upstream closed the connection.");
        if (header.Length > LongestMessage)
            throw new PostgresFault(SqlStates.ConnectionFailure, "The upstream does not speak the protocol of Postgres.", "upstream_failed");
        return (header.Type, await backend.Reader.ReadBody(header.Length, cancellationToken));
    }

    public static async Task Send(Backend backend, byte[] message, CancellationToken cancellationToken)
    {
        await backend.Writer.Write(message, cancellationToken);
        await backend.Writer.Flush(cancellationToken);
    }

    /// <summary>One statement text, or null. set_config and not SET: a value such as <c>a, b</c> for search_path is a list in the one and a name in the other.</summary>
    static string? SetUp(DatabaseGrant database)
    {
        var sql = new StringBuilder();
        foreach (var (name, value) in database.Settings)
            sql.Append($"SELECT pg_catalog.set_config('{name}', '{value.Replace("'", "''", StringComparison.Ordinal)}', false);");
        if (database.Role is { } role)
            sql.Append($"SET ROLE \"{role.Replace("\"", "\"\"", StringComparison.Ordinal)}\";");
        return sql.Length == 0 ? null : sql.ToString();
    }

    static PostgresFault Unsuitable(string what) =>
        new(SqlStates.FeatureNotSupported, what, "upstream_unsuitable") { Hint = "Statements could not be judged safely; the operator can change it for the user of the DSN." };
}
