using Centaur.Protocol.Broker;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Secrets;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Management;

/// <summary>
/// The vaults of the configuration in force and of those before it, by which requests may still be under way: a value that its source takes back is dropped in each of them. One that no
/// request knows any more is forgotten.
/// </summary>
sealed class VaultList
{
    readonly Lock gate = new();
    readonly List<(WeakReference<SecretVault> Vault, IReadOnlyDictionary<string, LocalSecret> Secrets)> vaults = [];

    /// <param name="vault">The vault.</param>
    /// <param name="secrets">Where its names find their values.</param>
    public void Add(SecretVault vault, IReadOnlyDictionary<string, LocalSecret> secrets)
    {
        lock (gate)
        {
            vaults.RemoveAll(known => !known.Vault.TryGetTarget(out _));
            vaults.Add((new WeakReference<SecretVault>(vault), secrets));
        }
    }

    /// <summary>Drops every value that came from this source.</summary>
    public void Drop(SecretSource source)
    {
        foreach (var (vault, name) in Concerned(source))
            vault.Drop(name);
    }

    List<(SecretVault Vault, string Name)> Concerned(SecretSource source)
    {
        lock (gate)
        {
            return
            [
                .. from known in vaults
                   let vault = known.Vault.TryGetTarget(out var alive) ? alive : null
                   where vault is not null
                   from secret in known.Secrets
                   where ValueCache.KeyOf(secret.Key, secret.Value.Source) == source
                   select (vault, secret.Key),
            ];
        }
    }
}
