namespace Centaur.Server.Platform.Configuration;

/// <summary>A secret of the server's own environment. It never prints and is in no JSON: whoever needs the value asks for it by name.</summary>
public sealed class SecretText
{
    readonly string value;

    SecretText(string value) => this.value = value;

    /// <summary>Null where the variable is unset or empty.</summary>
    public static SecretText? Of(Settings settings, string variable) => settings.Variable(variable) is { } text ? new SecretText(text) : null;

    internal string Reveal() => value;

    /// <summary>The value never prints.</summary>
    public override string ToString() => nameof(SecretText);
}
