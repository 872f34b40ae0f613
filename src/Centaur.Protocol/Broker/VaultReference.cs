namespace Centaur.Protocol.Broker;

/// <summary>
/// A value in Vault's key-value engine: <c>mount/path#key</c>, such as <c>secret/apps/billing#token</c>. The mount is what stands before the first slash;
/// one that has slashes itself ends with two, as in <c>team/kv//apps/billing#token</c>.
/// </summary>
/// <param name="Mount">Where the engine is mounted.</param>
/// <param name="Path">The secret's path below the mount, without the <c>data/</c> of the API.</param>
/// <param name="Key">The member of the secret; null for all of it, as a JSON object.</param>
public sealed record VaultReference(string Mount, string Path, string? Key)
{
    public const string Example = "vault_kv:secret/apps/billing#token";

    public static VaultReference? Parse(string text)
    {
        var hash = text.IndexOf('#', StringComparison.Ordinal);
        var key = hash < 0 ? null : text[(hash + 1)..];
        var place = hash < 0 ? text : text[..hash];
        var twice = place.IndexOf("//", StringComparison.Ordinal);
        var slash = twice < 0 ? place.IndexOf('/', StringComparison.Ordinal) : twice;
        if (slash <= 0)
            return null;
        var found = new VaultReference(place[..slash], place[(slash + (twice < 0 ? 1 : 2))..], key);
        return found.IsSound ? found : null;
    }

    bool IsSound => Key is not "" && Segments(Mount) && Segments(Path);

    /// <summary>A dot segment would be another path after a client or a server has normalised it.</summary>
    static bool Segments(string path) => path.Split('/').All(part => part.Length > 0 && part is not ("." or "..") && !part.Any(char.IsControl));
}
