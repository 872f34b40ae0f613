using Centaur.Server.Platform.Http;
using Npgsql;

namespace Centaur.Server.Platform;

/// <summary>What can be known before a start: each is an argument of the program, ends it, and changes nothing.</summary>
public static class StartChecks
{
    public const string Configuration = "--check-config";
    public const string Addresses = "--check-start";
    public const string Database = "--check-database";

    public static IReadOnlyList<string> All { get; } = [Configuration, Addresses, Database];

    /// <summary>Whoever composed the server has checked the configuration already.</summary>
    /// <returns>0 where all is well; else 1, and standard error has said why.</returns>
    /// <exception cref="Microsoft.AspNetCore.Connections.AddressInUseException">A listener's address is taken.</exception>
    public static async Task<int> Run(string check, WebApplication app, TextWriter output, TextWriter error)
    {
        if (check == Addresses)
            app.Services.GetRequiredService<BoundListeners>().MustBeFree();
        if (check != Database)
            return 0;
        try
        {
            await using var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync();
            await output.WriteLineAsync($"Postgres {connection.PostgreSqlVersion}");
            return 0;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            await error.WriteLineAsync($"The database does not take our connection: {e.Message}");
            return 1;
        }
    }
}
