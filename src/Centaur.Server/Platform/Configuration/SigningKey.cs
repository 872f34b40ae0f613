using System.Security.Cryptography;
using System.Text;

namespace Centaur.Server.Platform.Configuration;

/// <summary>
/// The key that signs what this server hands out and takes back: sandbox tokens and broker tickets. <c>SANDBOX_SIGNING_KEY</c> (or the older
/// <c>API_SECRET_KEY</c>) where it is set, which several replicas need, else a file (0600) that is made once.
/// </summary>
public sealed class SigningKey
{
    readonly byte[] key;

    SigningKey(string text) => key = Encoding.UTF8.GetBytes(text);

    public static SigningKey Of(Settings settings)
    {
        if ((settings.Variable("SANDBOX_SIGNING_KEY") ?? settings.Variable("API_SECRET_KEY")) is { } text)
            return new SigningKey(text);
        var file = settings.Host.Layout.SigningKeyFile;
        if (PrivateFile.Read(file) is { } kept)
            return new SigningKey(kept);
        try
        {
            PrivateFile.Create(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) + "\n");
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another replica of this home made it at the same moment; its key is the key.
        }

        return new SigningKey(PrivateFile.Read(file) ?? throw new SettingsException($"{file} is empty: remove it, and a new signing key is made."));
    }

    public byte[] Sign(string payload) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(payload));

    /// <summary>The key never prints.</summary>
    public override string ToString() => nameof(SigningKey);
}
