using System.Buffers;
using System.Text;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>A parsed CONNECT head. Strict: what two parsers could read in two ways is refused.</summary>
/// <param name="Target">Host and port, canonical.</param>
/// <param name="Text">The head as it came, to be searched for placeholders.</param>
sealed record ConnectHead(Authority Target, string Text)
{
    static readonly SearchValues<char> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public static ReadOnlyMemory<byte> Method { get; } = "CONNECT "u8.ToArray();

    /// <summary>Parses a whole head, its empty line included; says what is wrong with it otherwise.</summary>
    public static string? TryParse(ReadOnlySequence<byte> bytes, out ConnectHead head)
    {
        head = null!;
        var text = Encoding.Latin1.GetString(bytes);
        var lines = text[..^4].Split("\r\n");
        if (text.AsSpan().ContainsAny('\0', '\t') || lines.Any(line => line.AsSpan().ContainsAny('\r', '\n')))
            return "a control character or a bare line end stands in the head";
        var parts = lines[0].Split(' ');
        if (parts.Length != 3 || parts[2] is not ("HTTP/1.1" or "HTTP/1.0"))
            return "the request line is not \"CONNECT host:port HTTP/1.1\"";
        if (!HostName.TryAuthority(parts[1], 443, out var target))
            return "the target is not host:port";

        var hosts = 0;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':');
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAnyExcept(Token))
                return "a header has no valid name";
            var name = line.AsSpan(0, colon);
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                return "CONNECT has no body";
            if (!name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                continue;
            if (++hosts > 1 || !HostName.TryAuthority(line[(colon + 1)..].Trim(), target.Port, out var host) || host.Host != target.Host || host.Port != target.Port)
                return "the Host header names another host than the target";
        }

        head = new ConnectHead(target, text);
        return null;
    }
}
