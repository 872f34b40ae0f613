using System.Text.RegularExpressions;

namespace Centaur.Protocol.Broker;

/// <summary>What a source's words must look like, said where somebody writes them and checked again where they are used.</summary>
public static partial class SourceForm
{
    const int LongestJsonKey = 256;

    /// <summary>Reads <c>type:reference</c>, as people write it: <c>vault_kv:secret/apps/billing#token</c>, <c>env:ACME_TOKEN</c>, <c>file</c>.</summary>
    public static SecretSource Read(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? new SecretSource(text) : new SecretSource(text[..colon], text[(colon + 1)..]);
    }

    /// <summary>The same the other way round, for people.</summary>
    public static string Write(SecretSource source) =>
        source.Type + (source.Reference is null ? "" : ":" + source.Reference) + (source.JsonKey is null ? "" : $" ({source.JsonKey})");

    /// <summary>Why it is no source, in a sentence that shows a right one; null where it is one.</summary>
    public static string? Problem(SecretSource source) => source.JsonKey is { Length: 0 or > LongestJsonKey }
        ? $"json_key is the name of a member, of 1 to {LongestJsonKey} letters"
        : source.Type switch
        {
            SecretSourceTypes.File => FileProblem(source.Reference),
            SecretSourceTypes.Environment => VariableProblem(source.Reference),
            SecretSourceTypes.Vault => source.Reference is { } text && VaultReference.Parse(text) is { Key: var key } && (key is null || source.JsonKey is null)
                ? null
                : $"\"{source.Reference}\" is no place in Vault: write mount/path#key without the data/ of its API, and either #key or json_key, for example {VaultReference.Example}",
            SecretSourceTypes.OnePassword or SecretSourceTypes.OnePasswordConnect => source.Reference is { } text && OnePasswordReference.Parse(text) is not null
                ? null
                : $"\"{source.Reference}\" is no place in 1Password: write op://vault/item/[section/]field in letters, digits, spaces, -, _ and . (what has others goes by its id), for example {source.Type}:{OnePasswordReference.Example}",
            SecretSourceTypes.Kubernetes => source.Reference is { } key && IsKubernetesKey(key)
                ? null
                : $"\"{source.Reference}\" is no key of a Secret: write its name alone, for example kubernetes:billing-token",
            _ => $"\"{source.Type}\" is not a source; known: {string.Join(", ", SecretSourceTypes.All)}. For example {VaultReference.Example}",
        };

    /// <summary>Why a token cannot be sent to this address, or null where it can: in the clear it goes nowhere but to this machine.</summary>
    public static string? AddressProblem(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            return $"\"{address}\" is not an address such as https://vault.example.com:8200";
        return uri.Scheme == "http" && !uri.IsLoopback ? $"\"{address}\" would carry a token in the clear: use https" : null;
    }

    /// <summary>The keys that Kubernetes lets a Secret have (IsConfigMapKey of its API machinery): what begins with two dots is the kubelet's own.</summary>
    public static bool IsKubernetesKey(string key) => key.Length <= 253 && key != "." && !key.StartsWith("..", StringComparison.Ordinal) && KubernetesKey().IsMatch(key);

    static string? FileProblem(string? name) =>
        name is null || PlainName().IsMatch(name) ? null : $"\"{name}\" is no file of the secrets folder: write its name alone, for example file:ACME_TOKEN";

    static string? VariableProblem(string? name)
    {
        if (name is not null && SourceVariables.Tokens.Contains(name))
            return $"{name} is what the broker itself logs in with, and can never be granted";
        return name is null || Variable().IsMatch(name) ? null : $"\"{name}\" is no name of a variable; for example env:ACME_TOKEN";
    }

    [GeneratedRegex(@"^[-._a-zA-Z0-9]+\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex KubernetesKey();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PlainName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,255}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Variable();
}
