using Centaur.Proxy.Tests.Postgres;
using Xunit;

namespace Centaur.EndToEnd.Egress;

/// <summary>A Centaur whose operator wrote down all that a policy can say: a list, credentials that sandboxes never hold, a database.</summary>
public sealed class GovernedInstallation : Installation
{
    AcmeOrigin? acme;

    internal AcmeOrigin Acme => acme ?? throw new InvalidOperationException("Not started.");

    internal SecuredPostgres Database { get; } = new();

    protected override string Egress =>
        $"""
        egress:
          lists:
            - name: acme-docs
              hosts: [docs.acme.test, "*.pages.dev"]
          allow: [acme-docs]
          inject:
            - source: ACME_KEY
              header: X-Key
              rules: [{Braced("host: " + AcmeOrigin.Api + ", paths: [/keyed]")}]
          oauth_token:
            - grant: client_credentials
              token_endpoint: https://{AcmeOrigin.Login}/oauth/token
              client_id: ACME_CLIENT_ID
              client_secret: ACME_CLIENT_SECRET
              rules: [{Braced("host: " + AcmeOrigin.Api + ", paths: [/tickets]")}]
          databases:
            - database: shop
              dsn: SHOP_DSN
              role: reader
              settings: [{Braced("name: app.tenant, value: 7")}]
          map:
            - {Braced($"host: {ModelHost}, address: 127.0.0.1, target_port: {Model.Port}, ca_file: {Model.CaFile}, secrets: [OPENAI_API_KEY]")}
            - {Braced($"host: {AcmeOrigin.Api}, address: 127.0.0.1, target_port: {Acme.Port}, ca_file: {AcmeCa}, secrets: [ACME_KEY, ACME_CLIENT_SECRET]")}
            - {Braced($"host: {AcmeOrigin.Login}, address: 127.0.0.1, target_port: {Acme.Port}, ca_file: {AcmeCa}, secrets: [ACME_CLIENT_SECRET]")}
            - {Braced($"host: {SecuredPostgres.Host}, port: 5432, address: 127.0.0.1, target_port: {Database.Port}, ca_file: {DatabaseCa}")}
        """;

    string AcmeCa => Path.Combine(Home, "acme.pem");

    string DatabaseCa => Path.Combine(Home, "database.pem");

    public override async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        acme = await AcmeOrigin.Start(limit.Token);
        await Database.Start(limit.Token);
        Directory.CreateDirectory(Home);
        await File.WriteAllTextAsync(AcmeCa, Acme.AuthorityPem, limit.Token);
        await File.WriteAllTextAsync(DatabaseCa, Database.AuthorityPem, limit.Token);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Database.DisposeAsync();
        if (acme is not null)
            await acme.DisposeAsync();
    }

    protected override async Task SetModelKey(CancellationToken cancellationToken)
    {
        await base.SetModelKey(cancellationToken);
        foreach (var (name, value) in (KeyValuePair<string, string>[])
                 [
                     new("ACME_KEY", Acme.Key), new("ACME_CLIENT_ID", Acme.ClientId), new("ACME_CLIENT_SECRET", Acme.ClientSecret),
                     new("SHOP_DSN", $"postgresql://app:{Uri.EscapeDataString(SecuredPostgres.RealPassword)}@{SecuredPostgres.Host}/shop"),
                 ])
            (await Cli(["secrets", "set", name], value, cancellationToken)).Succeeded();
    }

    static string Braced(string text) => "{" + text + "}";
}
