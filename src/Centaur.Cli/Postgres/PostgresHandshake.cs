using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Centaur.Cli.Postgres;

/// <summary>What a server answered to a connection attempt.</summary>
internal enum PostgresAnswer
{
    /// <summary>Nobody listens.</summary>
    Absent,

    /// <summary>It is starting, recovering or stopping: worth another try.</summary>
    NotYet,
    Accepted,
    Refused,
}

/// <summary>
/// Opens one connection over the unix socket as far as the server's first word, which says whether the database takes connections. Needs no client
/// program and no driver: the server is the only program that speaks SQL.
/// </summary>
/// <param name="Answer">The answer.</param>
/// <param name="Message">The server's own words when it refused.</param>
internal sealed record PostgresHandshake(PostgresAnswer Answer, string Message)
{
    const string CannotConnectNow = "57P03";
    const int ProtocolVersion = 3 << 16;

    public static async Task<PostgresHandshake> Try(string socket, string user, string database, CancellationToken cancellationToken)
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
            await using var stream = new NetworkStream(connection);
            await stream.WriteAsync(Startup(user, database), cancellationToken);
            var head = new byte[5];
            await stream.ReadExactlyAsync(head, cancellationToken);
            var body = new byte[Math.Clamp(BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4, 0, 64 * 1024)];
            await stream.ReadExactlyAsync(body, cancellationToken);
            return Understand(head[0], body);
        }
        catch (Exception unanswered) when (unanswered is SocketException or IOException)
        {
            return new PostgresHandshake(PostgresAnswer.Absent, unanswered.Message);
        }
    }

    internal static PostgresHandshake Understand(byte type, byte[] body)
    {
        if (type == (byte)'R')
        {
            return BinaryPrimitives.ReadInt32BigEndian(body) == 0
                ? new PostgresHandshake(PostgresAnswer.Accepted, "")
                : new PostgresHandshake(PostgresAnswer.Refused, "it asks for a password, where the peer's user should do");
        }

        var fields = Encoding.UTF8.GetString(body).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var code = fields.FirstOrDefault(field => field[0] == 'C')?[1..];
        var message = fields.FirstOrDefault(field => field[0] == 'M')?[1..] ?? "it said nothing";
        return new PostgresHandshake(code == CannotConnectNow ? PostgresAnswer.NotYet : PostgresAnswer.Refused, message);
    }

    static byte[] Startup(string user, string database)
    {
        var parameters = Encoding.UTF8.GetBytes($"user\0{user}\0database\0{database}\0\0");
        var packet = new byte[8 + parameters.Length];
        BinaryPrimitives.WriteInt32BigEndian(packet, packet.Length);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), ProtocolVersion);
        parameters.CopyTo(packet, 8);
        return packet;
    }
}
