using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Postgres;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Management;

/// <summary>What lives on across a reload, and what does not: databases and tokens.</summary>
public sealed class GenerationTests(SecuredPostgres server)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Databases_come_and_go_and_a_session_that_has_begun_goes_on()
    {
        await server.Start(Token);
        await using var proxy = await ConfiguredProxy.Start(
            Databases("shop", "agent"), new Dictionary<string, string> { ["db.pem"] = server.AuthorityPem },
            new Dictionary<string, string>
            {
                ["MANAGEMENT_KEY"] = ConfiguredProxy.Key, ["CLIENT"] = DatabaseProxy.ClientPassword,
                ["DSN"] = DatabaseProxy.Dsn("app", "shop"),
            });
        await using var begun = await Open(proxy, "agent");
        (await Ask(begun)).ShouldBe(1);

        (await proxy.Reload(Databases("shop", "other"))).Status.ShouldBe(200);

        (await Ask(begun)).ShouldBe(1);
        await using var next = await Open(proxy, "other");
        (await Ask(next)).ShouldBe(1);
        (await Should.ThrowAsync<PostgresException>(() => Open(proxy, "agent"))).SqlState.ShouldBe("28000");

        (await proxy.Reload(Databases("elsewhere", "other"))).Status.ShouldBe(200);

        (await Ask(next)).ShouldBe(1);
        (await Should.ThrowAsync<PostgresException>(() => Open(proxy, "other"))).SqlState.ShouldBe("3D000");
    }

    [Fact]
    public async Task A_refresh_token_that_was_handed_out_is_used_after_a_reload_too()
    {
        await using var issuer = await TokenIssuer.Start(lifetime: 1);
        await using var origin = await Origin.Start(async context =>
        {
            var good = issuer.Tokens.Contains(context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal));
            await context.Response.WriteAsync(good ? "OK" : "invalid token");
        });
        var yaml = $$"""
            proxy: { tunnel_listen: "127.0.0.1:0" }
            tls: { ca_cert: ca.pem, ca_key: ca.pem }
            audit: { file: audit.ndjson }
            management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
            transforms:
              - { name: allowlist, config: { domains: [{{Origin.Host}}] } }
              - name: oauth_token
                config:
                  tokens:
                    - grant: refresh_token
                      token_endpoint: "{{TokenIssuer.Address}}"
                      client_id: { type: env, var: OAUTH_CLIENT }
                      client_secret: { type: env, var: OAUTH_SECRET }
                      refresh_token: { type: env, var: OAUTH_REFRESH }
                      rules: [{ host: {{Origin.Host}} }]
            map:
              - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem, secrets: [OAUTH_SECRET, OAUTH_REFRESH] }
              - { host: {{TokenIssuer.Host}}, address: 127.0.0.1, target_port: {{issuer.Origin.Port}}, ca_cert: issuer.pem, secrets: [OAUTH_SECRET, OAUTH_REFRESH] }
            """;
        await using var proxy = await ConfiguredProxy.Start(
            yaml, new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem, ["issuer.pem"] = issuer.Origin.AuthorityPem },
            new Dictionary<string, string>
            {
                ["MANAGEMENT_KEY"] = ConfiguredProxy.Key, ["OAUTH_CLIENT"] = TokenIssuer.ClientId, ["OAUTH_SECRET"] = TokenIssuer.ClientSecret, ["OAUTH_REFRESH"] = issuer.RefreshToken,
            });
        using var client = await proxy.Client();
        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");

        (await proxy.Reload(yaml)).Status.ShouldBe(200);

        // The issuer takes each refresh token once.
        while (issuer.Minted < 3)
        {
            (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
            await Task.Delay(20, Token);
        }
    }

    static async Task<NpgsqlConnection> Open(ConfiguredProxy proxy, string user)
    {
        var port = await proxy.PostgresPort();
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={user};Password={DatabaseProxy.ClientPassword};Database=shop;SSL Mode=Prefer;Pooling=false");
        try
        {
            await connection.OpenAsync(Token);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    static async Task<int> Ask(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select 1", connection);
        return (int)(await command.ExecuteScalarAsync(Token))!;
    }

    string Databases(string database, string user) => $$"""
        proxy: { tunnel_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        audit: { file: audit.ndjson }
        management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
        map: [{ host: {{SecuredPostgres.Host}}, port: 5432, address: 127.0.0.1, target_port: {{server.Port}}, ca_cert: db.pem }]
        postgres:
          listen: "127.0.0.1:0"
          client: { user: {{user}}, password_env: CLIENT }
          upstreams: [{ database: {{database}}, dsn: { type: env, var: DSN } }]
        """;
}
