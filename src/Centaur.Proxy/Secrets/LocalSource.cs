using Centaur.Proxy.Configuration;
using Centaur.Proxy.Sources.Caching;

namespace Centaur.Proxy.Secrets;

/// <summary>Values that the stand-alone proxy reads itself, from the sources that its file names.</summary>
/// <param name="secrets">Where each is.</param>
/// <param name="values">Reads and keeps them.</param>
sealed class LocalSource(IReadOnlyDictionary<string, LocalSecret> secrets, ValueCache values) : ISecretSource
{
    public async Task<SecretFetch> Fetch(string name, CancellationToken cancellationToken)
    {
        var secret = secrets[name];
        var (answer, maxAge) = await values.Get(name, secret.Source, secret.Terms, cancellationToken);
        return answer.Value is { } value ? SecretFetch.Of(new Secret(name, value), maxAge) : SecretFetch.Failed($"{answer.Code}: {answer.Message}");
    }
}
