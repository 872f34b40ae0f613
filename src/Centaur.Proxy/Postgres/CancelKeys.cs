using System.Buffers.Binary;
using System.Security.Cryptography;
using Centaur.Proxy.Postgres.Backends;

namespace Centaur.Proxy.Postgres;

/// <summary>
/// The keys by which clients cancel: ours, random, and each standing for one session's own key at its upstream, which no client learns.
/// </summary>
sealed class CancelKeys
{
    readonly Lock gate = new();
    readonly Dictionary<int, Entry> entries = [];

    /// <summary>Gives a session a key: eight bytes, as BackendKeyData and CancelRequest carry them.</summary>
    public byte[] Issue(Backend backend)
    {
        lock (gate)
        {
            var key = new byte[8];
            int id;
            do
            {
                RandomNumberGenerator.Fill(key);
                // A process id is positive; some clients print it.
                key[0] &= 0x7F;
                id = BinaryPrimitives.ReadInt32BigEndian(key);
            }
            while (id == 0 || entries.ContainsKey(id));
            entries[id] = new Entry(key, backend);
            return key;
        }
    }

    /// <summary>The session that a key stands for, or null: whoever guesses learns nothing, and reaches nobody.</summary>
    public Backend? Find(ReadOnlySpan<byte> key)
    {
        lock (gate)
        {
            return key.Length == 8 && entries.TryGetValue(BinaryPrimitives.ReadInt32BigEndian(key), out var entry) && CryptographicOperations.FixedTimeEquals(entry.Key, key)
                ? entry.Backend
                : null;
        }
    }

    public void Withdraw(ReadOnlySpan<byte> key)
    {
        lock (gate)
            entries.Remove(BinaryPrimitives.ReadInt32BigEndian(key));
    }

    sealed record Entry(byte[] Key, Backend Backend);
}
