namespace Centaur.Protocol.Broker;

/// <summary>
/// 1Password's own form of a place: <c>op://vault/item/[section/]field</c>, each by name or by id. The letters are those that 1Password documents
/// (https://developer.1password.com/docs/cli/secret-reference-syntax/); what has others in its name is named by its id.
/// </summary>
public sealed record OnePasswordReference(string Vault, string Item, string? Section, string Field)
{
    public const string Example = "op://Production/Billing/token";

    const string Scheme = "op://";

    public static OnePasswordReference? Parse(string text)
    {
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            return null;
        var parts = text[Scheme.Length..].Split('/');
        if (!parts.All(IsName))
            return null;
        return parts switch
        {
            [var vault, var item, var field] => new OnePasswordReference(vault, item, null, field),
            [var vault, var item, var section, var field] => new OnePasswordReference(vault, item, section, field),
            _ => null,
        };
    }

    public override string ToString() => $"{Scheme}{Vault}/{Item}/{(Section is null ? "" : Section + "/")}{Field}";

    /// <summary>Ids of vaults and items: 26 lower-case letters and digits.</summary>
    public static bool IsId(string text) => text.Length == 26 && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter));

    static bool IsName(string part) =>
        part.Length > 0 && part.Trim().Length == part.Length && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or ' ');
}
