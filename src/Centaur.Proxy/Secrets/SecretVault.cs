using Centaur.Proxy.Scanning;

namespace Centaur.Proxy.Secrets;

/// <summary>
/// The values that this proxy has fetched. A value is fetched when a request first needs it, once however many need it together, and used until it ages or is
/// revoked. Whatever is held here is what responses are scanned for.
/// </summary>
sealed class SecretVault(ISecretSource source, TimeProvider time)
{
    readonly Lock gate = new();
    readonly Dictionary<string, Held> held = new(StringComparer.Ordinal);
    readonly Dictionary<string, Task<SecretFetch>> fetching = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> placeholders = new(StringComparer.Ordinal);
    readonly Dictionary<string, CancellationTokenSource> revocations = new(StringComparer.Ordinal);
    volatile ScanModel? scan;

    /// <summary>What responses are scanned for; null until a value has been fetched.</summary>
    public ScanModel? Scan => scan;

    public ValueTask<SecretFetch> Get(string name, string placeholder, CancellationToken cancellationToken)
    {
        Task<SecretFetch>? pending;
        lock (gate)
        {
            if (held.TryGetValue(name, out var known) && time.GetElapsedTime(known.Since) < known.Fetch.MaxAge)
                return new ValueTask<SecretFetch>(known.Fetch);
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

    /// <summary>Forgets a value now, and ends what was sent with it and is still under way.</summary>
    public void Drop(string name)
    {
        CancellationTokenSource? users;
        lock (gate)
        {
            if (held.Remove(name))
                Rebuild();
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
        var values = new List<(Secret Secret, string Placeholder)>();
        foreach (var (name, value) in held)
        {
            values.Add((value.Fetch.Secret!, placeholders[name]));
            if (value.Before is { } before)
                values.Add((before, placeholders[name]));
        }

        scan = ScanModel.For(values);
    }

    sealed record Held(SecretFetch Fetch, Secret? Before, long Since);
}
