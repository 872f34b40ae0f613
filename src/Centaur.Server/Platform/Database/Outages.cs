using System.Net.Sockets;
using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>Tells what passes by itself (a restart, a cut, a full server) from what is wrong with a statement.</summary>
internal static class Outages
{
    public static bool IsOutage(Exception e) => e switch
    {
        PostgresException postgres => postgres.IsTransient || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal) || postgres.SqlState.StartsWith("53", StringComparison.Ordinal)
            || postgres.SqlState.StartsWith("08", StringComparison.Ordinal)
            // A database that is being moved or restored: it is gone, or it takes no connections.
            || postgres.SqlState is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.ObjectNotInPrerequisiteState,
        NpgsqlException or TimeoutException or SocketException => true,
        _ => false,
    };
}
