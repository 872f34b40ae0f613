using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Centaur.Server.Access.Keys;

/// <summary>What is known of a key; the key itself is known to its holder alone.</summary>
public sealed record ApiKey(
    Guid Id, string Name, string KeyPrefix, IReadOnlyList<string> Scopes, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt)
{
    public bool Active => RevokedAt is null;
}

/// <summary>The text of a key, once in its life. It never prints.</summary>
internal sealed class ApiKeyToken(string text)
{
    const string Prefix = "aiv2_";
    const int PrefixLength = 8;

    public string Text => text;

    public string KeyPrefix => text.Length < 2 * PrefixLength ? "" : text[..PrefixLength];

    /// <summary>How the key is stored and looked up. Keys are random, so that a plain hash is enough.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    public static ApiKeyToken Create() => new(Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    public override string ToString() => KeyPrefix + "…";
}
