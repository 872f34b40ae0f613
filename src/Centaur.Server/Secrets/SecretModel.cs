using System.Text.RegularExpressions;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;

namespace Centaur.Server.Secrets;

/// <summary>What this server knows of a secret: never its value.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">Where the broker finds the value.</param>
/// <param name="Bindings">Where its placeholder may stand.</param>
public sealed partial record SecretModel(string Name, SecretSource Source, IReadOnlyList<SecretBinding> Bindings)
{
    public static bool IsName(string text) => NamePattern().IsMatch(text);

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,127}$", RegexOptions.NonBacktracking)]
    private static partial Regex NamePattern();
}
