using System.Security.Cryptography;
using System.Text;

namespace Centaur.Proxy.Postgres.Authentication;

/// <summary>
/// Our side of SCRAM-SHA-256 with an upstream (RFC 5802, section 3). An answer that does not fit ends it: a server that cannot prove that it knows the password is not
/// the one that the operator meant.
/// </summary>
sealed class ScramClient
{
    /// <summary>More would let an upstream keep a processor busy; Postgres uses 4096.</summary>
    const int MostIterations = 1_000_000;

    readonly byte[] password;
    readonly string header;
    readonly string binding;
    readonly string nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
    byte[] expected = [];

    /// <param name="password">UTF-8.</param>
    /// <param name="endPointHash">The <c>tls-server-end-point</c> binding (RFC 5929, section 4), or null to bind to nothing.</param>
    public ScramClient(ReadOnlySpan<byte> password, byte[]? endPointHash)
    {
        this.password = password.ToArray();
        header = endPointHash is null ? "n,," : "p=tls-server-end-point,,";
        binding = Convert.ToBase64String([.. Encoding.ASCII.GetBytes(header), .. endPointHash ?? []]);
    }

    // Postgres takes the name from the startup packet and ignores this one.
    string FirstBare => $"n=,r={nonce}";

    public string First => header + FirstBare;

    /// <summary>The answer to the server's challenge, or null where it is not a valid one.</summary>
    public string? Answer(string challenge)
    {
        if (ScramMessage.Read(challenge, "rsi") is not [var joined, var saltText, var count] || !joined.StartsWith(nonce, StringComparison.Ordinal) || joined.Length == nonce.Length)
            return null;
        if (ScramMessage.Base64(saltText) is not { Length: > 0 } salt || !int.TryParse(count, out var iterations) || iterations is < 1 or > MostIterations)
            return null;
        var keys = new ScramKeys(password, salt, iterations);
        CryptographicOperations.ZeroMemory(password);
        var withoutProof = $"c={binding},r={joined}";
        var authMessage = Encoding.UTF8.GetBytes($"{FirstBare},{challenge},{withoutProof}");
        expected = keys.ServerSignature(authMessage);
        return $"{withoutProof},p={Convert.ToBase64String(keys.ClientProof(authMessage))}";
    }

    /// <summary>True where the server has proved that it knows the password too.</summary>
    public bool Accepts(string final) =>
        expected.Length > 0 && ScramMessage.Read(final, "v") is [var signature] && ScramMessage.Base64(signature) is { } bytes
        && CryptographicOperations.FixedTimeEquals(bytes, expected);
}
