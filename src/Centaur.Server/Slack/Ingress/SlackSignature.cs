using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Centaur.Server.Slack.Ingress;

/// <summary>
/// Whether Slack sent a request: <c>v0=</c> and the HMAC-SHA256 of <c>v0:timestamp:body</c> (https://docs.slack.dev/authentication/verifying-requests-from-slack).
/// </summary>
internal sealed class SlackSignature(SlackOptions options, TimeProvider time)
{
    const string Version = "v0";

    /// <summary>What is wrong with the request; null where Slack signed it, lately, with a secret of ours.</summary>
    public string? Problem(string timestamp, string signature, ReadOnlySpan<byte> body)
    {
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return "its timestamp is missing or is no number";
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if (seconds < now - (long)options.SignatureAge.TotalSeconds || seconds > now + (long)options.SignatureAge.TotalSeconds)
            return "its timestamp is too far from now";

        var given = Encoding.ASCII.GetBytes(signature);
        // Every secret is tried, so that the time tells nothing of which one it was.
        var matches = false;
        foreach (var secret in options.SigningSecrets)
            matches |= CryptographicOperations.FixedTimeEquals(given, Encoding.ASCII.GetBytes(Of(secret.Reveal(), timestamp, body)));
        return matches ? null : "its signature is not Slack's";
    }

    internal static string Of(string secret, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.UTF8.GetBytes($"{Version}:{timestamp}:"));
        hmac.AppendData(body);
        return $"{Version}={Convert.ToHexStringLower(hmac.GetHashAndReset())}";
    }
}
