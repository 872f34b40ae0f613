using Centaur.Server.Platform.Configuration;
using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>Which Postgres, and how many connections to it. Its text holds a password: it never prints.</summary>
public sealed class DatabaseOptions
{
    public required string ConnectionString { get; init; }

    public static DatabaseOptions Read(Settings settings)
    {
        var section = settings.Root.Section("database");
        var url = section.Text("url", settings.Host.Layout.EmbeddedDatabaseUrl, "DATABASE_URL");
        var pool = section.Number("pool", 40, 5, 1000);
        var answer = section.Number("answer_seconds", 20, 1, 600);
        try
        {
            var builder = DatabaseUrl.Parse(url);
            builder.MaxPoolSize = pool;
            builder.ApplicationName = "centaur-server";
            builder.Timeout = 5;
            // A database that is cut off says nothing, not even that it is gone: no statement waits for longer, and a connection that only listens is looked at now and then.
            builder.CommandTimeout = answer;
            // Nor is it asked to cancel: that question goes over a connection of its own, whose end is waited for without a limit. The statement's connection is closed instead.
            builder.CancellationTimeout = -1;
            builder.KeepAlive = answer;
            // The statements of a turn are few and always the same: planned once a connection, and not each time.
            builder.MaxAutoPrepare = 100;
            builder.IncludeErrorDetail = false;
            return new DatabaseOptions { ConnectionString = builder.ConnectionString };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or UriFormatException or KeyNotFoundException)
        {
            section.Report("url", "(or DATABASE_URL) must be postgres://user:password@host:port/database, or key=value pairs separated by semicolons");
            return new DatabaseOptions { ConnectionString = "" };
        }
    }
}
