namespace Centaur.Proxy.Secrets;

/// <summary>Where a proxy gets values: the broker, or (stand-alone) its own configuration.</summary>
interface ISecretSource
{
    Task<SecretFetch> Fetch(string name, CancellationToken cancellationToken);
}

/// <summary>A value and how long it may be used, or why there is none.</summary>
sealed record SecretFetch(Secret? Secret, TimeSpan MaxAge, string? Problem)
{
    public static SecretFetch Of(Secret secret, TimeSpan maxAge) => new(secret, maxAge, null);

    public static SecretFetch Failed(string problem) => new(null, TimeSpan.Zero, problem);
}
