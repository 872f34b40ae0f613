using System.Security.Cryptography;
using System.Text;

namespace Centaur.Server.Egress;

/// <summary>
/// The hash chain of an audit file, as a proxy makes it: every line ends in <c>,"hash":"…"}</c>, whose value is SHA-256, in hexadecimal, over the 32 bytes of the hash before it
/// and the line's bytes up to, and without, that member. The first line follows 32 zeros.
/// </summary>
internal static class AuditChain
{
    public const int HashBytes = 32;

    const int Digits = 2 * HashBytes;

    static ReadOnlySpan<byte> Member => ",\"hash\":\""u8;

    static ReadOnlySpan<byte> End => "\"}"u8;

    /// <summary>What the first line follows.</summary>
    public static byte[] Start() => new byte[HashBytes];

    /// <summary>The hash of a line that follows the one of this hash; null where it does not follow it.</summary>
    public static byte[]? Follow(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> line)
    {
        var body = line.Length - Member.Length - Digits - End.Length;
        if (body <= 0 || !line.EndsWith(End) || !line.Slice(body, Member.Length).SequenceEqual(Member))
            return null;
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(previous);
        sha.AppendData(line[..body]);
        var hash = sha.GetHashAndReset();
        return line.Slice(body + Member.Length, Digits).SequenceEqual(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash))) ? hash : null;
    }
}
