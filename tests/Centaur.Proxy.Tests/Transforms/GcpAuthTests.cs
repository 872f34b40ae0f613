using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class GcpAuthTests
{
    const string Stub = """{"access_token":"centaur-proxy-stub-token","expires_in":3600,"token_type":"Bearer"}""";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_account_signs_for_a_token_that_its_host_alone_receives()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(issuer, origin, issuer.KeyFile(), "subject: ada@project.test");
        using var client = proxy.Client();

        await client.GetStringAsync("https://api.vendor.test/v1/x", Token);
        await client.GetStringAsync("https://api.vendor.test/v2/x", Token);

        var seen = origin.Seen.ToArray();
        seen[0].Headers["Authorization"].ShouldBe("Bearer " + issuer.Tokens.ShouldHaveSingleItem());
        seen[1].Headers.ContainsKey("Authorization").ShouldBeFalse();
        issuer.KeyId.ShouldBe("kid-1");
        issuer.Claims.GetProperty("sub").GetString().ShouldBe("ada@project.test");
        issuer.Claims.GetProperty("scope").GetString().ShouldBe("https://www.googleapis.com/auth/cloud-platform");
    }

    [Fact]
    public async Task Clients_that_ask_google_for_a_token_get_a_stub()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var proxy = await Start(issuer, issuer.Origin, issuer.KeyFile());
        using var client = proxy.Client();

        var token = await client.PostAsync("https://oauth2.googleapis.com/token", new StringContent("grant_type=refresh_token&refresh_token=x"), Token);
        using var asked = new HttpRequestMessage(HttpMethod.Get, "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token?scopes=x");
        asked.Headers.Add("Metadata-Flavor", "Google");
        var metadata = await client.SendAsync(asked, Token);

        (await token.Content.ReadAsStringAsync(Token)).ShouldBe(Stub);
        (await metadata.Content.ReadAsStringAsync(Token)).ShouldBe(Stub);
        metadata.Headers.GetValues("Metadata-Flavor").ShouldBe(["Google"]);
        issuer.Asked.ShouldBe(0);
    }

    [Theory]
    [InlineData("{\"type\":\"authorized_user\"}", "service account")]
    [InlineData("not json, but-a-secret", "not JSON")]
    public async Task P32_A_key_file_that_is_none_refuses_the_request_and_is_not_quoted(string keyFile, string said)
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(issuer, origin, keyFile);
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/v1/x", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        var text = await answer.Content.ReadAsStringAsync(Token);
        text.ShouldContain(said);
        text.ShouldNotContain("but-a-secret");
        origin.Seen.ShouldBeEmpty();
    }

    static Task<StandaloneProxy> Start(TokenIssuer issuer, Origin origin, string keyFile, string more = "") => StandaloneProxy.Start(
        $$"""
          - name: gcp_auth
            config:
              keyfile_path: key.json
              scopes: ["https://www.googleapis.com/auth/cloud-platform"]
              rules: [{ host: {{Origin.Host}}, paths: [/v1/*] }]
              {{more}}
        """,
        [(Origin.Host, origin, "key.json"), (TokenIssuer.Host, issuer.Origin, "key.json")],
        new Dictionary<string, string> { ["/key.json"] = keyFile });
}
