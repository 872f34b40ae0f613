namespace Centaur.Protocol.Broker;

/// <summary>Where a value comes from.</summary>
/// <param name="Type">The kind of source, one of <see cref="SecretSourceTypes"/>.</param>
/// <param name="Reference">The value's place there, in the form that <see cref="SourceForm"/> checks; null for the broker's own file of the secret's name.</param>
/// <param name="JsonKey">The member to take where the value is a JSON object; null for the whole value.</param>
public sealed record SecretSource(string Type, string? Reference = null, string? JsonKey = null);

/// <summary>The kinds of sources that a broker knows.</summary>
public static class SecretSourceTypes
{
    /// <summary>The file of that name in the broker's secrets folder (0600).</summary>
    public const string File = "file";

    /// <summary>A variable of the broker's own environment.</summary>
    public const string Environment = "env";

    /// <summary>HashiCorp Vault's key-value engine, version 2; see <see cref="VaultReference"/>.</summary>
    public const string Vault = "vault_kv";

    /// <summary>1Password through its command line; see <see cref="OnePasswordReference"/>.</summary>
    public const string OnePassword = "1password";

    /// <summary>1Password through a Connect server; see <see cref="OnePasswordReference"/>.</summary>
    public const string OnePasswordConnect = "1password_connect";

    /// <summary>A key of a Kubernetes Secret, mounted into the folder that the operator named.</summary>
    public const string Kubernetes = "kubernetes";

    public static IReadOnlyList<string> All { get; } = [File, Environment, Vault, OnePassword, OnePasswordConnect, Kubernetes];
}
