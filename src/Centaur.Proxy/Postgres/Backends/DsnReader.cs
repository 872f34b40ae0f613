using System.Globalization;
using System.Text;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>
/// Reads a DSN in both forms that libpq knows: <c>postgresql://user:password@host:port/database?sslmode=…</c> and <c>host=… password='…'</c> (libpq documentation, "Connection
/// Strings"). A problem is said without a word of the text: where a quote is missing, anything in it may be the password.
/// </summary>
static class DsnReader
{
    const int DefaultPort = 5432;

    static readonly HashSet<string> Known = ["host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "connect_timeout", "application_name", "channel_binding", "gssencmode"];

    public static Dsn? Read(Secret secret, out string problem)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = Encoding.UTF8.GetString(secret.Bytes).Trim();
        problem = text.StartsWith("postgres://", StringComparison.Ordinal) || text.StartsWith("postgresql://", StringComparison.Ordinal)
            ? ReadAddress(text[(text.IndexOf("//", StringComparison.Ordinal) + 2)..], values)
            : ReadPairs(text, values);
        if (problem.Length > 0)
            return null;
        if (values.Keys.Any(key => !Known.Contains(key)))
            problem = $"it has a key that is not known here; known are {string.Join(", ", Known)}";
        else if (!values.TryGetValue("host", out var host) || host.Contains(',') || !HostName.TryAuthority(Bracketed(host), DefaultPort, out _))
            problem = "it needs one \"host\" that is a name or an address";
        else if (!values.TryGetValue("user", out var user) || user.Length == 0 || !values.TryGetValue("dbname", out var database) || database.Length == 0)
            problem = "it needs a user and a database";
        else if (!int.TryParse(values.GetValueOrDefault("port", "5432"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            problem = "its port is not a number between 1 and 65535";
        else if (Mode(values.GetValueOrDefault("sslmode")) is not { } mode)
            problem = "its sslmode must be disable, require, verify-ca or verify-full: allow and prefer would let anybody on the way choose plain text";
        else if (values.Values.Any(value => value.Contains('\0')))
            problem = "it holds a zero byte";
        else
        {
            HostName.TryAuthority(Bracketed(host), DefaultPort, out var authority);
            return new Dsn
            {
                Address = authority with { Port = port },
                User = user,
                Database = database,
                Password = values.GetValueOrDefault("password") is { Length: > 0 } password ? new Secret(secret.Name, Encoding.UTF8.GetBytes(password)) : null,
                SslMode = mode,
                RootCertificate = values.GetValueOrDefault("sslrootcert") is { } file && file != "system" ? file : null,
            };
        }

        return null;
    }

    static string Bracketed(string host) => host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host;

    static SslMode? Mode(string? text) => text switch
    {
        null => SslMode.Unset,
        "disable" => SslMode.Disable,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCa,
        "verify-full" => SslMode.VerifyFull,
        _ => null,
    };

    static string ReadAddress(string text, Dictionary<string, string> values)
    {
        const string notPercent = "a percent sign in it is not followed by two digits";
        var query = text.IndexOf('?');
        if (query >= 0)
        {
            foreach (var pair in text[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=');
                if (equals <= 0)
                    return "a parameter of it has no value";
                if (!TryUnescape(pair[(equals + 1)..], out var value))
                    return notPercent;
                if (!values.TryAdd(pair[..equals], value))
                    return "it names a parameter twice";
            }

            text = text[..query];
        }

        var at = text.LastIndexOf('@');
        var slash = text.IndexOf('/', at + 1);
        (string Key, string Text)[] parts =
        [
            ("dbname", slash < 0 ? "" : text[(slash + 1)..]),
            .. UserInfo(at < 0 ? "" : text[..at]),
            .. HostAndPort(text[(at + 1)..(slash < 0 ? text.Length : slash)]),
        ];
        foreach (var (key, part) in parts.Where(part => part.Text.Length > 0))
        {
            if (!TryUnescape(part, out var value))
                return notPercent;
            if (!values.TryAdd(key, value))
                return "it names a parameter twice";
        }

        return "";
    }

    static (string Key, string Text)[] UserInfo(string text)
    {
        var colon = text.IndexOf(':');
        return colon < 0 ? [("user", text)] : [("user", text[..colon]), ("password", text[(colon + 1)..])];
    }

    static (string Key, string Text)[] HostAndPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 || colon < text.LastIndexOf(']') ? [("host", text)] : [("host", text[..colon]), ("port", text[(colon + 1)..])];
    }

    static bool TryUnescape(string text, out string value)
    {
        value = Uri.UnescapeDataString(text);
        for (var at = text.IndexOf('%'); at >= 0; at = text.IndexOf('%', at + 1))
        {
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                return false;
        }

        return true;
    }

    static string ReadPairs(string text, Dictionary<string, string> values)
    {
        for (var at = 0; ;)
        {
            SkipSpace(text, ref at);
            if (at == text.Length)
                return "";
            var equals = text.IndexOf('=', at);
            var key = equals < 0 ? "" : text[at..equals].Trim();
            if (key.Length == 0 || key.Any(char.IsWhiteSpace))
                return "it is neither an address that begins with postgresql:// nor a list of key=value";
            at = equals + 1;
            SkipSpace(text, ref at);
            if (!TryValue(text, ref at, out var value))
                return "a quote in it is not closed";
            if (!values.TryAdd(key, value))
                return "it names a parameter twice";
        }
    }

    static bool TryValue(string text, ref int at, out string value)
    {
        var built = new StringBuilder();
        var quoted = at < text.Length && text[at] == '\'';
        if (quoted)
            at++;
        for (; at < text.Length && (quoted ? text[at] != '\'' : !char.IsWhiteSpace(text[at])); at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            built.Append(text[at]);
        }

        value = built.ToString();
        if (!quoted)
            return true;
        return at++ < text.Length;
    }

    static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
    }
}
