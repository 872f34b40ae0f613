using System.Security.Cryptography;

namespace Centaur.Proxy.Postgres.Authentication;

/// <summary>What SCRAM-SHA-256 derives from a password, a salt and a count (RFC 5802, section 3; RFC 7677).</summary>
sealed class ScramKeys
{
    readonly byte[] clientKey;
    readonly byte[] serverKey;

    public ScramKeys(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        CryptographicOperations.ZeroMemory(salted);
    }

    public byte[] ClientProof(ReadOnlySpan<byte> authMessage)
    {
        var proof = HMACSHA256.HashData(SHA256.HashData(clientKey), authMessage);
        for (var i = 0; i < proof.Length; i++)
            proof[i] ^= clientKey[i];
        return proof;
    }

    public byte[] ServerSignature(ReadOnlySpan<byte> authMessage) => HMACSHA256.HashData(serverKey, authMessage);

    /// <summary>Compares in constant time.</summary>
    public bool Proves(ReadOnlySpan<byte> proof, ReadOnlySpan<byte> authMessage) => CryptographicOperations.FixedTimeEquals(ClientProof(authMessage), proof);
}
