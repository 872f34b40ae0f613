using System.Text;

namespace Centaur.Proxy.Postgres.Wire;

/// <summary>What a client asks for first: version and parameters (PostgreSQL documentation, "StartupMessage").</summary>
/// <param name="MinorVersion">Of protocol 3.</param>
/// <param name="Parameters">In the order in which they came; the last of a name counts.</param>
sealed record StartupPacket(int MinorVersion, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>The limit of Postgres itself, MAX_STARTUP_PACKET_LENGTH.</summary>
    public const int LongestBytes = 10_000;

    public const int Version3 = 3 << 16;
    public const int CancelRequest = 80877102;
    public const int SslRequest = 80877103;
    public const int GssEncryptionRequest = 80877104;

    const string ProtocolOptionPrefix = "_pq_.";

    public string? User => Parameters.GetValueOrDefault("user");

    /// <summary>Where no database is named, it is that of the user's name, as in Postgres.</summary>
    public string? Database => Parameters.GetValueOrDefault("database") is { Length: > 0 } name ? name : User;

    public IEnumerable<string> ProtocolOptions => Parameters.Keys.Where(name => name.StartsWith(ProtocolOptionPrefix, StringComparison.Ordinal));

    public static StartupPacket Parse(int version, ReadOnlySpan<byte> body)
    {
        if (version >> 16 != 3)
            throw new PostgresFault(SqlStates.FeatureNotSupported, $"Protocol {version >> 16}.{version & 0xFFFF} is not spoken here.", "protocol_version") { Hint = "Use protocol 3.0." };
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var name = TakeText(ref body);
            if (name.Length == 0)
                break;
            parameters[name] = TakeText(ref body);
        }

        return body.IsEmpty ? new StartupPacket(version & 0xFFFF, parameters) : throw Malformed();
    }

    static string TakeText(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        if (end < 0)
            throw Malformed();
        var text = body[..end];
        body = body[(end + 1)..];
        return System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : throw PostgresFault.Protocol("A parameter of the startup packet is not UTF-8.");
    }

    static PostgresFault Malformed() => PostgresFault.Protocol("The startup packet has no valid layout.");
}
