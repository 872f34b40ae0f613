using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class OAuthTokenTests
{
    const string ClientSources = "client_id: { type: env, var: OAUTH_CLIENT }, client_secret: { type: env, var: OAUTH_SECRET }";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Grants { get; } = new()
    {
        { "client_credentials", ClientSources, "OAUTH_SECRET" },
        { "password", ClientSources + ", username: { type: env, var: OAUTH_USER }, password: { type: env, var: OAUTH_PASSWORD }", "OAUTH_SECRET, OAUTH_PASSWORD" },
        { "refresh_token", ClientSources + ", refresh_token: { type: env, var: OAUTH_REFRESH }", "OAUTH_SECRET, OAUTH_REFRESH" },
        { "jwt_bearer", "issuer: { type: env, var: OAUTH_ISSUER }, private_key: { type: file, path: key.pem }, private_key_id: { type: env, var: OAUTH_CLIENT }", "key.pem" },
    };

    [Theory]
    [MemberData(nameof(Grants))]
    public async Task A_token_is_minted_by_each_grant_and_put_in_the_place_of_the_clients(string grant, string sources, string secrets)
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(issuer, origin, $"grant: {grant}, {sources}, scopes: [read, write]", secrets);
        using var client = proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer of-the-agent");

        (await client.GetStringAsync("https://api.vendor.test/a", Token)).ShouldBe("OK");
        (await client.GetStringAsync("https://api.vendor.test/b", Token)).ShouldBe("OK");

        issuer.Minted.ShouldBe(1);
        if (grant == "jwt_bearer")
        {
            issuer.Claims.GetProperty("scope").GetString().ShouldBe("read write");
            issuer.KeyId.ShouldBe(TokenIssuer.ClientId);
        }

        (proxy.AuditText + proxy.Errors).ShouldNotContain("minted-token");
    }

    [Fact]
    public async Task A_token_is_minted_once_however_many_ask()
    {
        await using var issuer = await TokenIssuer.Start(holds: true);
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(issuer, origin, "grant: client_credentials, " + ClientSources, "OAUTH_SECRET");
        using var client = proxy.Client();

        var asking = Enumerable.Range(0, 20).Select(_ => client.GetStringAsync("https://api.vendor.test/", Token)).ToList();
        while (proxy.Intents().Count < 20)
            await Task.Delay(5, Token);
        issuer.Open();

        (await Task.WhenAll(asking)).ShouldAllBe(answer => answer == "OK");
        issuer.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_rotated_refresh_token_is_used_for_the_next_mint()
    {
        await using var issuer = await TokenIssuer.Start(lifetime: 1);
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(issuer, origin, $"grant: refresh_token, {ClientSources}, refresh_token: {{ type: env, var: OAUTH_REFRESH }}", "OAUTH_SECRET, OAUTH_REFRESH");
        using var client = proxy.Client();

        // The issuer takes each refresh token once, so a second mint proves that its answer was kept.
        while (issuer.Minted < 3)
        {
            (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
            await Task.Delay(20, Token);
        }
    }

    [Fact]
    public async Task P32_Without_a_token_the_request_is_refused_with_a_reason_and_never_sent()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(issuer, origin, "grant: client_credentials, " + ClientSources, "OAUTH_SECRET", secret: "not-the-right-secret");
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["token_unavailable"]);
        var said = await answer.Content.ReadAsStringAsync(Token);
        said.ShouldContain("other.vendor.test answered 400 (invalid_client");
        said.ShouldNotContain("not-the-right-secret");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P06_A_token_endpoint_at_a_private_address_is_not_dialled()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(
            issuer, origin, "grant: client_credentials, " + ClientSources, "OAUTH_SECRET", endpoint: $"https://127.0.0.1:{issuer.Origin.Port}/oauth/token");
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await answer.Content.ReadAsStringAsync(Token)).ShouldContain("not public");
        issuer.Asked.ShouldBe(0);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_client_that_asks_the_token_endpoint_itself_gets_a_stub_and_other_paths_pass()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(issuer, origin, "grant: client_credentials, " + ClientSources, "OAUTH_SECRET");
        using var client = proxy.Client();

        var stub = await client.PostAsync(TokenIssuer.Address, new StringContent("grant_type=refresh_token"), Token);
        var other = await client.GetAsync("https://other.vendor.test/oauth/keys", Token);

        (await stub.Content.ReadAsStringAsync(Token)).ShouldBe("""{"access_token":"centaur-proxy-stub-token","expires_in":3600,"token_type":"Bearer"}""");
        other.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        issuer.Origin.Seen.ShouldHaveSingleItem().Target.ShouldBe("/oauth/keys");
    }

    [Fact]
    public async Task P18_An_upstream_that_echoes_a_minted_token_is_not_heard()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("you sent " + context.Request.Headers.Authorization));
        await using var proxy = await Start(issuer, origin, "grant: client_credentials, " + ClientSources, "OAUTH_SECRET");
        using var client = proxy.Client();

        var answer = await client.GetStringAsync("https://api.vendor.test/", Token);

        answer.ShouldStartWith("you sent Bearer centaur-hidden-");
        answer.ShouldNotContain("minted-token");
    }

    [Fact]
    public async Task A_changed_source_value_mints_again_and_endpoint_headers_are_sent()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var proxy = await Start(
            issuer, origin,
            "grant: client_credentials, client_id: { type: env, var: OAUTH_CLIENT }, client_secret: { type: env, var: OAUTH_SECRET }, "
            + "token_endpoint_headers: { X-Tenant: { type: file, path: tenant, ttl: 0.001s } }, header: X-Api-Token, value_prefix: 'Token '",
            "OAUTH_SECRET, tenant");
        using var client = proxy.Client();

        await client.GetAsync("https://api.vendor.test/", Token);
        await proxy.Write("tenant", "second");
        while (issuer.Minted < 2)
            await client.GetAsync("https://api.vendor.test/", Token);

        issuer.Origin.Seen.Select(seen => seen.Headers["X-Tenant"]).ShouldBe(["first", "second"]);
        origin.Seen.First().Headers["X-Api-Token"].ShouldStartWith("Token minted-token-0001");
    }

    /// <summary>Says OK to a token that the issuer has minted, and to no other.</summary>
    static Task<Origin> StrictOrigin(TokenIssuer issuer) => Origin.Start(async context =>
    {
        var sent = context.Request.Headers.Authorization.ToString();
        var good = sent.StartsWith("Bearer ", StringComparison.Ordinal) && issuer.Tokens.Contains(sent["Bearer ".Length..]);
        context.Response.StatusCode = good ? 200 : 401;
        await context.Response.WriteAsync(good ? "OK" : "invalid token");
    });

    static Task<StandaloneProxy> Start(TokenIssuer issuer, Origin origin, string token, string secrets, string secret = TokenIssuer.ClientSecret, string endpoint = TokenIssuer.Address) =>
        StandaloneProxy.Start(
            $$"""
              - name: oauth_token
                config:
                  tokens:
                    - { token_endpoint: "{{endpoint}}", rules: [{ host: {{Origin.Host}} }], {{token}} }
            """,
            [(Origin.Host, origin, secrets), (TokenIssuer.Host, issuer.Origin, secrets)],
            new Dictionary<string, string>
            {
                ["OAUTH_CLIENT"] = TokenIssuer.ClientId,
                ["OAUTH_SECRET"] = secret,
                ["OAUTH_USER"] = "ada",
                ["OAUTH_PASSWORD"] = TokenIssuer.Password,
                ["OAUTH_REFRESH"] = issuer.RefreshToken,
                ["OAUTH_ISSUER"] = TokenIssuer.ServiceAccount,
                ["/key.pem"] = issuer.PrivateKeyPem,
                ["/tenant"] = "first",
            });
}
