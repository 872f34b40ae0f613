using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Secrets;
using Centaur.Protocol.Policy.Templates;

namespace Centaur.Proxy.Transforms;

/// <summary>How a request is signed, as the <c>signature</c> and <c>timestamp</c> of hmac_sign say.</summary>
/// <param name="Timestamp">unix_seconds, unix_millis, unix_nanos or rfc3339.</param>
/// <param name="Algorithm">The hash below the HMAC (RFC 2104).</param>
/// <param name="KeyEncoding">raw, base64 or hex: how the key is written at its source.</param>
/// <param name="OutputEncoding">base64 or hex.</param>
/// <param name="Message">What is signed.</param>
sealed record SignatureModel(string Timestamp, HashAlgorithmName Algorithm, string KeyEncoding, string OutputEncoding, TextTemplate Message)
{
    public string Format(DateTimeOffset now) => Timestamp switch
    {
        "unix_seconds" => now.ToUnixTimeSeconds().ToString(),
        "unix_millis" => now.ToUnixTimeMilliseconds().ToString(),
        "unix_nanos" => ((now - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick).ToString(),
        _ => now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
    };

    /// <summary>The key's bytes, or null where the value is not written as <see cref="KeyEncoding"/> says.</summary>
    public byte[]? Key(Secret secret)
    {
        try
        {
            return KeyEncoding switch
            {
                "base64" => Convert.FromBase64String(Encoding.ASCII.GetString(secret.Bytes)),
                "hex" => Convert.FromHexString(Encoding.ASCII.GetString(secret.Bytes)),
                _ => secret.Bytes.ToArray(),
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public string Sign(byte[] key, byte[] message)
    {
        using var hmac = IncrementalHash.CreateHMAC(Algorithm, key);
        hmac.AppendData(message);
        var signature = hmac.GetHashAndReset();
        return OutputEncoding == "hex" ? Convert.ToHexStringLower(signature) : Convert.ToBase64String(signature);
    }
}
