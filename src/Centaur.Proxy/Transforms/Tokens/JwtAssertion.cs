using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Transforms.Tokens;

/// <summary>What a signed assertion says of its bearer (RFC 7523, section 3).</summary>
/// <param name="Issuer">Who asks.</param>
/// <param name="Subject">For whom; empty where for himself.</param>
/// <param name="Audience">The token endpoint's own name.</param>
/// <param name="Scope">Scopes between blanks, as Google wants them inside; empty for none.</param>
/// <param name="KeyId">Which key signs, or empty.</param>
sealed record JwtAssertion(string Issuer, string Subject, string Audience, string Scope, string KeyId)
{
    public const string GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    // Google refuses assertions that are good for longer than an hour (https://developers.google.com/identity/protocols/oauth2/service-account).
    static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    /// <summary>Signs it with RS256 (RFC 7518, section 3.3).</summary>
    /// <param name="privateKey">PEM: PKCS#8 or PKCS#1.</param>
    /// <param name="now">When it begins to be good.</param>
    /// <param name="signed">The compact form (RFC 7515, section 7.1).</param>
    /// <returns>False where the key is no RSA private key.</returns>
    public bool TrySign(ReadOnlySpan<char> privateKey, DateTimeOffset now, out Secret signed)
    {
        signed = null!;
        try
        {
            using var key = RSA.Create();
            key.ImportFromPem(privateKey);
            var unsigned = Base64Url.EncodeToString(Header()) + "." + Base64Url.EncodeToString(Claims(now));
            var signature = key.SignData(Encoding.ASCII.GetBytes(unsigned), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            signed = new Secret("assertion", Encoding.ASCII.GetBytes(unsigned + "." + Base64Url.EncodeToString(signature)));
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    byte[] Header() => Json(json =>
    {
        json.WriteString("alg", "RS256");
        json.WriteString("typ", "JWT");
        Write(json, "kid", KeyId);
    });

    byte[] Claims(DateTimeOffset now) => Json(json =>
    {
        json.WriteString("iss", Issuer);
        Write(json, "sub", Subject);
        json.WriteString("aud", Audience);
        Write(json, "scope", Scope);
        json.WriteNumber("iat", now.ToUnixTimeSeconds());
        json.WriteNumber("exp", (now + Validity).ToUnixTimeSeconds());
    });

    static void Write(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
            json.WriteString(name, value);
    }

    static byte[] Json(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
