using Centaur.Server.Platform.Database;

namespace Centaur.Server.Access.Keys;

/// <summary>Puts the keys that the environment fixes into the table at every start (contract §1.9).</summary>
internal sealed class ServiceKeys(AccessOptions options, ApiKeyStore store, ApiKeys keys) : IStartStep
{
    public async Task Run(CancellationToken cancellationToken)
    {
        foreach (var key in options.ServiceKeys)
            await store.Upsert(new ApiKeyToken(key.Token), key.Name, key.Scopes, "service-bootstrap", cancellationToken);
        keys.Changed();
    }
}
