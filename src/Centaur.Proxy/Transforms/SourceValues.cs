using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms;

/// <summary>Fetches what a transform needs: all of it or nothing.</summary>
static class SourceValues
{
    /// <summary>What stands for a value in an answer that echoes it, where no placeholder was granted for it.</summary>
    public static string Mark(string name) => string.Concat("centaur-hidden-", string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.' ? letter : '-')));

    /// <param name="vault">Where values are held.</param>
    /// <param name="policy">Knows the placeholders of granted secrets.</param>
    /// <param name="uses">What is needed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The values by role, or why one cannot be had.</returns>
    public static async ValueTask<(Dictionary<string, Secret>? Values, Refusal? Refusal)> Fetch(
        SecretVault vault, PolicyModel policy, IReadOnlyList<SourceUse> uses, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, Secret>(uses.Count, StringComparer.Ordinal);
        foreach (var use in uses)
        {
            var granted = Array.Find(policy.Secrets, secret => secret.Name == use.Name)?.Placeholder;
            var fetch = await vault.Get(use.Name, use.Confidential ? granted ?? Mark(use.Name) : null, cancellationToken);
            if (fetch.Secret is null)
                return (null, Refusals.Unavailable(use.Name, fetch.Problem ?? "no reason given"));
            values[use.Role] = fetch.Secret;
        }

        return (values, null);
    }
}
