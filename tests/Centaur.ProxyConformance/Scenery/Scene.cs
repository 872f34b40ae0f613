using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Centaur.Proxy.Tests.Postgres;
using Centaur.ProxyConformance.Data;

namespace Centaur.ProxyConformance.Scenery;

/// <summary>Everything that one proxy can reach. The map of the proxy leads these names here, and no others exist.</summary>
sealed class Scene(TestAuthority authority) : IAsyncDisposable
{
    static readonly string[] Hosts = ["api.vendor.test", "second.vendor.test", "vendor.test", "a.b.vendor.test", "old.vendor.test", "xn--bcher-kva.vendor.test", "free.test", "poor.vendor.test"];

    public required OriginServer Origin { get; init; }

    public required RawOrigin Raw { get; init; }

    public TokenIssuer? Issuer { get; init; }

    public FakeVault? Vault { get; init; }

    public SecuredPostgres? Postgres { get; init; }

    public required IReadOnlyList<Place> Places { get; init; }

    public static async Task<Scene> Start(SuiteConfig config, SecuredPostgres? postgres, CancellationToken cancellationToken)
    {
        var authority = new TestAuthority();
        var origin = await OriginServer.Start(authority, Hosts);
        var raw = new RawOrigin(authority.Issue("raw.vendor.test"), origin.Seen);
        var issuer = config.Needs.Contains("issuer") ? await TokenIssuer.Start(config.TokenLifetime) : null;
        var vault = config.Needs.Contains("vault") ? await FakeVault.Start() : null;
        if (vault is not null)
            vault.Secrets["secret/apps/vendor"] = """{"token":"sk-of-the-vault-5512","nested":{"a":1}}""";
        var database = config.Needs.Contains("postgres") ? postgres : null;
        if (database is not null)
            await database.Start(cancellationToken);
        return new Scene(authority)
        {
            Origin = origin, Raw = raw, Issuer = issuer, Vault = vault, Postgres = database,
            Places = [.. Around(origin, raw, authority), .. Behind(issuer, database)],
        };
    }

    /// <summary>What stands in a configuration as <c>${name}</c>.</summary>
    public string Fill(string text)
    {
        if (Issuer is { } issuer)
        {
            text = text.Replace("${issuer.key}", issuer.PrivateKeyPem, StringComparison.Ordinal).Replace("${issuer.refresh}", issuer.RefreshToken, StringComparison.Ordinal)
                .Replace("${issuer.keyfile}", issuer.KeyFile(), StringComparison.Ordinal).Replace("${issuer.port}", $"{issuer.Origin.Port}", StringComparison.Ordinal);
        }

        return text.Replace("${database.password}", Uri.EscapeDataString(SecuredPostgres.RealPassword), StringComparison.Ordinal);
    }

    /// <summary>What only origins may see: the configuration's values, and what was made of them.</summary>
    public IReadOnlyList<string> Secrets(SuiteConfig config) =>
        [.. config.Secrets.Select(Fill), .. Issuer?.Tokens ?? [], .. Postgres is null ? [] : new[] { SecuredPostgres.RealPassword, Uri.EscapeDataString(SecuredPostgres.RealPassword) }];

    public async ValueTask DisposeAsync()
    {
        await Origin.DisposeAsync();
        await Raw.DisposeAsync();
        if (Issuer is not null)
            await Issuer.DisposeAsync();
        if (Vault is not null)
            await Vault.DisposeAsync();
        authority.Dispose();
    }

    static IEnumerable<Place> Around(OriginServer origin, RawOrigin raw, TestAuthority authority)
    {
        const int both = 0, old = 1, plain = 2;
        foreach (var host in Hosts.Except(["old.vendor.test", "poor.vendor.test"]))
            yield return new Place(host, 443, origin.Port(both), authority.Pem);
        foreach (var host in new[] { "api.vendor.test", "second.vendor.test", "free.test" })
            yield return new Place(host, 80, origin.Port(plain), null, Plaintext: true);
        yield return new Place("api.vendor.test", 8443, origin.Port(both), authority.Pem);
        yield return new Place("old.vendor.test", 443, origin.Port(old), authority.Pem);
        yield return new Place("poor.vendor.test", 443, origin.Port(both), authority.Pem, Secrets: false);
        yield return new Place("raw.vendor.test", 443, raw.Port, authority.Pem);
        yield return new Place("stranger.vendor.test", 443, origin.Port(both), null);
        yield return new Place("misnamed.vendor.test", 443, origin.Port(both), authority.Pem);
        // Nobody listens on the port of tcpmux.
        yield return new Place("dead.vendor.test", 443, 1, authority.Pem);
    }

    static IEnumerable<Place> Behind(TokenIssuer? issuer, SecuredPostgres? database)
    {
        if (issuer is not null)
            yield return new Place(TokenIssuer.Host, 443, issuer.Origin.Port, issuer.Origin.AuthorityPem);
        if (database is null)
            yield break;
        yield return new Place(SecuredPostgres.Host, 5432, database.Port, database.AuthorityPem);
        yield return new Place("untrusted.test", 5432, database.Port, null);
        yield return new Place("misnamed.test", 5432, database.Port, database.AuthorityPem);
    }
}
