using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Postgres.Authentication;

/// <summary>
/// What this proxy knows of the clients' password. Salt and keys are made once: an attempt to log in costs two hashes and no derivation.
/// </summary>
sealed class ScramServer
{
    const int Iterations = 4096;

    readonly Secret password;
    readonly string salt;
    readonly ScramKeys keys;

    public ScramServer(Secret password)
    {
        this.password = password;
        var bytes = RandomNumberGenerator.GetBytes(16);
        salt = Convert.ToBase64String(bytes);
        keys = new ScramKeys(password.Bytes, bytes, Iterations);
    }

    public Exchange Begin() => new(this);

    /// <summary>For clients that were allowed to send the password itself. Hashes are compared, so that neither content nor length is told by time.</summary>
    public bool IsPassword(ReadOnlySpan<byte> candidate) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(candidate), SHA256.HashData(password.Bytes));

    /// <summary>One login (RFC 5802, section 3, the server's part).</summary>
    public sealed class Exchange(ScramServer server)
    {
        string header = "";
        string firstBare = "";
        string nonce = "";
        string challenge = "";

        /// <summary>The challenge, or null where the client's first message is not a valid one.</summary>
        public string? Challenge(string first)
        {
            // Channel binding was not offered: "p=" is a client that believes it was, and somebody may stand between.
            if (!first.StartsWith("n,", StringComparison.Ordinal) && !first.StartsWith("y,", StringComparison.Ordinal))
                return null;
            var end = first.IndexOf(',', 2);
            if (end != 2)
                return null;
            header = first[..(end + 1)];
            firstBare = first[(end + 1)..];
            if (ScramMessage.Read(firstBare, "nr") is not [_, { Length: > 0 } clientNonce])
                return null;
            nonce = clientNonce + Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
            return challenge = $"r={nonce},s={server.salt},i={Iterations}";
        }

        /// <summary>The server's proof where the client's is right, null where it is not.</summary>
        public string? Verify(string final)
        {
            var proofAt = final.LastIndexOf(",p=", StringComparison.Ordinal);
            if (proofAt < 0 || ScramMessage.Read(final, "cr") is not [var binding, var joined])
                return null;
            if (binding != Convert.ToBase64String(Encoding.ASCII.GetBytes(header)) || joined != nonce || ScramMessage.Base64(final[(proofAt + 3)..]) is not { } proof)
                return null;
            var authMessage = Encoding.UTF8.GetBytes($"{firstBare},{challenge},{final[..proofAt]}");
            return server.keys.Proves(proof, authMessage) ? "v=" + Convert.ToBase64String(server.keys.ServerSignature(authMessage)) : null;
        }
    }
}
