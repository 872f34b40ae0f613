using Centaur.Proxy.Scanning;

namespace Centaur.Proxy.Secrets;

/// <summary>
/// The values that this proxy has fetched. A value is fetched when a request first needs it, once however many need it together, and used until it ages or is
/// revoked. Whatever is held here is what responses are scanned for.
/// </summary>
sealed class SecretVault(ISecretSource source, TimeProvider time)
{
    /// <summary>Each costs a search of every answer; the oldest are the likeliest to be good for nothing.</summary>
    const int MostInherited = 256;

    readonly Lock gate = new();
    readonly Dictionary<string, Held> held = new(StringComparer.Ordinal);
    readonly Dictionary<string, Task<SecretFetch>> fetching = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> placeholders = new(StringComparer.Ordinal);
    readonly Dictionary<string, CancellationTokenSource> revocations = new(StringComparer.Ordinal);
    readonly Dictionary<string, Derived> derived = new(StringComparer.Ordinal);
    readonly List<(Secret Secret, string Placeholder)> inherited = [];
    SecretVault? successor;
    volatile ScanModel? scan;

    /// <summary>What responses are scanned for; null until a value has been fetched.</summary>
    public ScanModel? Scan => scan;

    /// <param name="name">The value's name at its source.</param>
    /// <param name="placeholder">What stands for it in answers; null for a value that is no secret (a client id, a user name), which answers may hold.</param>
    /// <param name="cancellationToken">Ends the wait, not the fetch.</param>
    public ValueTask<SecretFetch> Get(string name, string? placeholder, CancellationToken cancellationToken)
    {
        Task<SecretFetch>? pending;
        lock (gate)
        {
            var searched = placeholder is null || placeholders.ContainsKey(name);
            if (searched && held.TryGetValue(name, out var known) && time.GetElapsedTime(known.Since) < known.Fetch.MaxAge)
                return new ValueTask<SecretFetch>(known.Fetch);
            if (placeholder is not null)
                placeholders[name] = placeholder;
            if (!fetching.TryGetValue(name, out pending))
            {
                // Not the asker's token: others wait for the same answer.
                pending = Fetch(name);
                if (!pending.IsCompleted)
                    fetching[name] = pending;
            }
        }

        return new ValueTask<SecretFetch>(pending.WaitAsync(cancellationToken));
    }

    /// <summary>
    /// Keeps a value that was made of others, such as a minted token: answers are searched for it. The one before it under this name is searched for too, since
    /// an upstream may still know it.
    /// </summary>
    public void Hold(Secret value, string placeholder)
    {
        lock (gate)
        {
            derived[value.Name] = new Derived(value, derived.GetValueOrDefault(value.Name)?.Value, placeholder);
            Rebuild();
        }
    }

    /// <summary>Uses a value no more, and ends what was sent with it and is still under way. Answers are searched for it all the same: an upstream may know it, and it may still be good there.</summary>
    public void Drop(string name)
    {
        CancellationTokenSource? users;
        lock (gate)
        {
            if (held.Remove(name, out var dropped))
            {
                if (placeholders.TryGetValue(name, out var placeholder))
                    Inherit([(dropped.Fetch.Secret!, placeholder), .. dropped.Before is { } before ? [(before, placeholder)] : Array.Empty<(Secret, string)>()]);
                else
                    Rebuild();
            }

            revocations.Remove(name, out users);
        }

        users?.Cancel();
    }

    /// <summary>Cancelled when the value that this name has now is revoked.</summary>
    public CancellationToken Revocation(string name)
    {
        lock (gate)
        {
            if (!revocations.TryGetValue(name, out var users))
                revocations[name] = users = new CancellationTokenSource();
            return users.Token;
        }
    }

    /// <summary>
    /// A vault over another source, which fetches everything anew: a name may mean something else there. Answers are searched for the values of this one too,
    /// since upstreams know them.
    /// </summary>
    public SecretVault Over(ISecretSource next)
    {
        var vault = new SecretVault(next, time);
        lock (gate)
        {
            successor = vault;
            vault.Inherit(Searched());
        }

        return vault;
    }

    void Inherit(List<(Secret Secret, string Placeholder)> values)
    {
        lock (gate)
        {
            inherited.AddRange(values.Where(value => !inherited.Exists(known => known.Secret.Bytes.SequenceEqual(value.Secret.Bytes))));
            if (inherited.Count > MostInherited)
                inherited.RemoveRange(0, inherited.Count - MostInherited);
            Rebuild();
        }
    }

    async Task<SecretFetch> Fetch(string name)
    {
        var fetch = await source.Fetch(name, CancellationToken.None);
        lock (gate)
        {
            fetching.Remove(name);
            if (fetch.Secret is not null)
            {
                // The value before this one may still be echoed by an upstream that knows it.
                var before = held.TryGetValue(name, out var old) && !old.Fetch.Secret!.Bytes.SequenceEqual(fetch.Secret.Bytes) ? old.Fetch.Secret : old?.Before;
                held[name] = new Held(fetch, before, time.GetTimestamp());
                Rebuild();
            }
        }

        return fetch;
    }

    void Rebuild()
    {
        var values = Searched();
        scan = ScanModel.For(values);
        successor?.Inherit(values);
    }

    List<(Secret Secret, string Placeholder)> Searched()
    {
        var values = new List<(Secret Secret, string Placeholder)>();
        foreach (var (name, value) in held)
        {
            if (!placeholders.TryGetValue(name, out var placeholder))
                continue;
            values.Add((value.Fetch.Secret!, placeholder));
            if (value.Before is { } before)
                values.Add((before, placeholder));
        }

        foreach (var made in derived.Values)
        {
            values.Add((made.Value, made.Placeholder));
            if (made.Before is { } before)
                values.Add((before, made.Placeholder));
        }

        values.AddRange(inherited.Where(value => !values.Exists(known => known.Secret.Bytes.SequenceEqual(value.Secret.Bytes))));
        return values;
    }

    sealed record Derived(Secret Value, Secret? Before, string Placeholder);

    sealed record Held(SecretFetch Fetch, Secret? Before, long Since);
}
