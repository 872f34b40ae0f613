using System.Text;
using Centaur.Proxy.Configuration;

namespace Centaur.Proxy.Secrets;

/// <summary>Values from the stand-alone proxy's own environment and files.</summary>
/// <param name="secrets">Where each is.</param>
/// <param name="environment">The environment as it was at the start.</param>
sealed class LocalSource(IReadOnlyDictionary<string, LocalSecret> secrets, IReadOnlyDictionary<string, string> environment) : ISecretSource
{
    public async Task<SecretFetch> Fetch(string name, CancellationToken cancellationToken)
    {
        var secret = secrets[name];
        if (secret.Variable is { } variable)
        {
            return environment.TryGetValue(variable, out var value) && value.Length > 0
                ? SecretFetch.Of(new Secret(name, Encoding.UTF8.GetBytes(value)), TimeSpan.MaxValue)
                : SecretFetch.Failed($"the variable {variable} is not set");
        }

        try
        {
            var bytes = await File.ReadAllBytesAsync(secret.File!, cancellationToken);
            var trimmed = bytes is [.., (byte)'\n'] ? bytes[..^1] : bytes;
            return trimmed.Length > 0 ? SecretFetch.Of(new Secret(name, trimmed), secret.TimeToLive) : SecretFetch.Failed("its file is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return SecretFetch.Failed($"its file cannot be read ({fault.GetType().Name})");
        }
    }
}
