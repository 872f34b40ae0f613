using System.Net.Sockets;
using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>Tells a database that is away, where a repeat may help, from a statement that is wrong.</summary>
internal static class DatabaseOutage
{
    public static bool Is(Exception e) => e switch
    {
        PostgresException { SqlState: { } state } => state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal)
            || state is PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
                or PostgresErrorCodes.InvalidCatalogName,
        NpgsqlException { InnerException: SocketException or IOException or TimeoutException } => true,
        NpgsqlException npgsql => npgsql.IsTransient,
        _ => false,
    };
}
