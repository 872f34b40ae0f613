using Npgsql;

namespace Centaur.Server.Platform.Database;

/// <summary>Reads <c>postgres://user:password@host:port/database?host=/run/postgresql&amp;sslmode=require</c> as libpq does, or Npgsql's own key=value form.</summary>
internal static class DatabaseUrl
{
    /// <exception cref="ArgumentException">The text is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return new NpgsqlConnectionStringBuilder(text);
        if (text[..scheme] is not ("postgres" or "postgresql"))
            throw new ArgumentException("The scheme of a database's URL is postgres.", nameof(text));

        // Not System.Uri: libpq allows an empty host, which Uri does not.
        var rest = text[(scheme + 3)..];
        var query = Cut(ref rest, rest.IndexOf('?'));
        var database = Cut(ref rest, rest.IndexOf('/'));
        var at = rest.LastIndexOf('@');
        var user = at < 0 ? "" : rest[..at];
        var host = rest[(at + 1)..];
        var password = Cut(ref user, user.IndexOf(':'));
        var port = Cut(ref host, host.LastIndexOf(':') is var colon && colon > host.LastIndexOf(']') ? colon : -1);

        var builder = new NpgsqlConnectionStringBuilder();
        Set(database, value => builder.Database = value);
        Set(user, value => builder.Username = value);
        Set(password, value => builder.Password = value);
        Set(host.Trim('[', ']'), value => builder.Host = value);
        Set(port, value => builder.Port = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = pair;
            var given = Cut(ref value, value.IndexOf('='));
            builder[Keyword(Uri.UnescapeDataString(value))] = Uri.UnescapeDataString(given);
        }

        if (string.IsNullOrEmpty(builder.Host))
            throw new ArgumentException("A database's URL names a host.", nameof(text));
        return builder;
    }

    static string Keyword(string libpq) => libpq switch
    {
        "host" => "Host",
        "port" => "Port",
        "user" => "Username",
        "password" => "Password",
        "dbname" => "Database",
        "sslmode" => "SSL Mode",
        "sslrootcert" => "Root Certificate",
        "connect_timeout" => "Timeout",
        "application_name" => "Application Name",
        _ => libpq,
    };

    static void Set(string value, Action<string> set)
    {
        if (value.Length > 0)
            set(Uri.UnescapeDataString(value));
    }

    /// <summary>Shortens the text to what is before the index and returns what is behind it.</summary>
    static string Cut(ref string text, int index)
    {
        if (index < 0)
            return "";
        var behind = text[(index + 1)..];
        text = text[..index];
        return behind;
    }
}
