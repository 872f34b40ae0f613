using System.Net;
using System.Security.Cryptography;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

/// <summary>Transforms of a sandbox's policy: told on the control channel, with values of the broker that the policy names and never holds.</summary>
public sealed class SandboxTransformTests
{
    const string Ticket = "ticket-of-transforms-0123456789";

    static readonly SourceUse Id = new("client_id", "ACME_ID", Confidential: false);
    static readonly SourceUse Secret = new("client_secret", "ACME_SECRET");
    static readonly EgressRule[] Rules = [new("acme", [Origin.Host])];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Minting { get; } = ["client_credentials", "refresh_token", "jwt_bearer", "gcp_auth"];

    [Theory]
    [MemberData(nameof(Minting))]
    public async Task A_token_is_minted_of_the_brokers_values_and_the_record_names_what_went_into_it(string kind)
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        await using var keyed = await Start(Policy(origin, issuer, Minted(kind)), Values(issuer));
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer of-the-agent");

        (await client.GetStringAsync("https://api.vendor.test/a", Token)).ShouldBe("OK");
        (await client.GetStringAsync("https://api.vendor.test/b", Token)).ShouldBe("OK");

        issuer.Minted.ShouldBe(1);
        var intent = await keyed.Proxy.AuditRecord("intent");
        intent.GetProperty("thread").GetString().ShouldBe("thread-1");
        intent.GetProperty("secrets").EnumerateArray().Select(name => name.GetString()).ShouldBe(
            kind switch { "gcp_auth" => ["ACME_KEYFILE"], "jwt_bearer" => ["ACME_KEY"], "refresh_token" => ["ACME_REFRESH", "ACME_SECRET"], _ => ["ACME_SECRET"] });
        (await File.ReadAllTextAsync(keyed.Proxy.AuditPath, Token) + keyed.Proxy.Errors).ShouldNotContain("minted-token");
    }

    [Fact]
    public async Task A_token_lives_on_where_the_next_turns_policy_has_the_same_grant()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await StrictOrigin(issuer);
        var policy = Policy(origin, issuer, Minted("refresh_token"));
        await using var keyed = await Start(policy, Values(issuer));
        using var client = keyed.Proxy.Client();
        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");

        await keyed.Proxy.Enforce(policy with { Turn = "turn-2" });

        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
        issuer.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_value_is_set_in_the_place_of_the_clients_and_an_echo_of_it_is_hidden()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync($"{context.Request.Headers.Authorization} {context.Request.QueryString}"));
        await using var keyed = await Start(
            TestPolicy.Allowing(Origin.Host) with
            {
                Map = [origin.Map(secrets: ["ACME_SECRET", "ACME_REFRESH"])],
                Transforms =
                [
                    new InjectConfig { Name = "egress.inject[0]", Source = new("source", "ACME_SECRET"), Header = "Authorization", Formatter = "Bearer {{ .Value }}", Rules = Rules },
                    new InjectConfig { Name = "egress.inject[1]", Source = new("source", "ACME_REFRESH"), QueryParam = "key", Rules = Rules },
                ],
            },
            new() { ["ACME_SECRET"] = "sk-acme-real-0001", ["ACME_REFRESH"] = "query-real-0002" });
        using var client = keyed.Proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer of-the-agent");

        (await client.GetStringAsync("https://api.vendor.test/?key=mine&q=1", Token)).ShouldBe("Bearer centaur-hidden-ACME_SECRET ?q=1&key=centaur-hidden-ACME_REFRESH");

        var seen = origin.Seen.ShouldHaveSingleItem();
        (seen.Headers["Authorization"], seen.Target).ShouldBe(("Bearer sk-acme-real-0001", "/?q=1&key=query-real-0002"));
    }

    [Fact]
    public async Task A_request_is_signed_with_a_key_that_never_enters_the_policy()
    {
        await using var origin = await Origin.Start(context =>
        {
            var message = $"{context.Request.Headers["X-Time"]}{context.Request.Method}";
            var expected = Convert.ToHexStringLower(HMACSHA256.HashData("acme-signing-key"u8, Encoding.ASCII.GetBytes(message)));
            context.Response.StatusCode = context.Request.Headers["X-Signature"] == expected ? 200 : 401;
            return Task.CompletedTask;
        });
        await using var keyed = await Start(
            TestPolicy.Allowing(Origin.Host) with
            {
                Map = [origin.Map(secrets: "ACME_SECRET")],
                Transforms =
                [
                    new HmacSignConfig
                    {
                        Name = "egress.hmac_sign[0]", Credentials = [new("secret", "ACME_SECRET")], Message = "{{ .Timestamp }}{{ .Method }}", OutputEncoding = "hex", Rules = Rules,
                        Headers = [new SignedHeader("X-Time", "{{ .Timestamp }}"), new SignedHeader("X-Signature", "{{ .Signature }}")],
                    },
                ],
            },
            new() { ["ACME_SECRET"] = "acme-signing-key" });
        using var client = keyed.Proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task P32_A_secret_that_is_not_set_refuses_what_needs_it_and_nothing_else()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var keyed = await Start(
            Policy(origin, issuer, Minted("client_credentials") with { Rules = [new("acme", [Origin.Host]) { Paths = ["/api/*"] }] }), new() { ["ACME_ID"] = TokenIssuer.ClientId });
        using var client = keyed.Proxy.Client();

        using var refused = await client.GetAsync("https://api.vendor.test/api/x", Token);

        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.GetValues("X-Centaur-Denied").ShouldBe(["secret_unavailable"]);
        (await client.GetStringAsync("https://api.vendor.test/public", Token)).ShouldBe("OK");
        issuer.Asked.ShouldBe(0);
        origin.Seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task P30_An_answer_under_way_ends_when_the_secret_of_its_token_is_revoked()
    {
        await using var issuer = await TokenIssuer.Start();
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.WriteAsync("begun");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await using var keyed = await Start(Policy(origin, issuer, Minted("client_credentials")), Values(issuer));
        using var client = keyed.Proxy.Client();
        using var answer = await client.GetAsync("https://api.vendor.test/", HttpCompletionOption.ResponseHeadersRead, Token);

        await keyed.Broker.Grant("sbx-test", Ticket, "ACME_ID");

        await Should.ThrowAsync<Exception>(() => answer.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token));
        (await keyed.Proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("secret_revoked");
    }

    [Theory]
    [InlineData("Connection", "{{ .Value }}", Origin.Host, "x: the header Connection ends at this proxy")]
    [InlineData("X-Key", "{{ .Nothing }}", Origin.Host, "no field \".Nothing\"")]
    [InlineData("X-Key", "{{ .Value }}", "*", "to everybody")]
    [InlineData("X-Key", "{{ .Value }}", "", "needs \"rules\"")]
    [InlineData("X-Key", "{{ .Value }}", "raw.test", "x is for raw.test, which is passed through")]
    [InlineData("X-Key", "{{ .Value }}", "a b", "\"a b\" is not a host")]
    public async Task A_transform_that_cannot_work_is_rejected_and_the_policy_of_before_stays(string header, string formatter, string host, string why)
    {
        await using var proxy = await SandboxProxy.Start();
        var transform = new InjectConfig { Name = "x", Source = new("source", "A"), Header = header, Formatter = formatter, Rules = host.Length == 0 ? [] : [new("r", [host])] };

        var notice = await proxy.Offer(TestPolicy.Empty with { Passthrough = ["raw.test"], Transforms = [transform] });

        notice.ShouldBeOfType<ProxyPolicyRejected>().Message.ShouldContain(why);
        await proxy.Enforce(TestPolicy.Empty);
    }

    [Fact]
    public async Task A_policy_of_a_keeper_that_knows_no_transforms_is_enforced()
    {
        await using var proxy = await SandboxProxy.Start();

        proxy.Say("""{"type":"policy","policy":{"version":1,"sandbox_id":"s","open":false,"allow":[],"passthrough":[],"secrets":[],"map":[]}}""");

        (await proxy.NextNotice()).ShouldBe(new ProxyPolicyAcknowledged(1));
    }

    static TransformConfig Minted(string kind) => kind == "gcp_auth"
        ? new GcpAuthConfig { Name = "egress.gcp_auth[0]", KeyFile = new("keyfile", "ACME_KEYFILE"), Scopes = ["read"], Rules = Rules }
        : new OAuthTokenConfig
        {
            Name = "egress.oauth_token[0]",
            Grant = kind,
            TokenEndpoint = TokenIssuer.Address,
            Sources = kind switch
            {
                "refresh_token" => [new("refresh_token", "ACME_REFRESH"), Id, Secret],
                "jwt_bearer" => [new("issuer", "ACME_ISSUER", Confidential: false), new("private_key", "ACME_KEY")],
                _ => [Id, Secret],
            },
            Rules = Rules,
        };

    static ProxyPolicy Policy(Origin origin, TokenIssuer issuer, TransformConfig transform)
    {
        string[] sent = [.. transform.Uses.Where(use => use.Confidential).Select(use => use.Name)];
        return TestPolicy.Allowing(Origin.Host, TokenIssuer.Host) with { Map = [origin.Map(secrets: sent), issuer.Origin.Map(TokenIssuer.Host, 443, sent)], Transforms = [transform] };
    }

    static Dictionary<string, string> Values(TokenIssuer issuer) => new()
    {
        ["ACME_ID"] = TokenIssuer.ClientId,
        ["ACME_SECRET"] = TokenIssuer.ClientSecret,
        ["ACME_REFRESH"] = issuer.RefreshToken,
        ["ACME_ISSUER"] = TokenIssuer.ServiceAccount,
        ["ACME_KEY"] = issuer.PrivateKeyPem,
        ["ACME_KEYFILE"] = issuer.KeyFile(),
    };

    static async Task<BrokeredProxy> Start(ProxyPolicy policy, Dictionary<string, string> values)
    {
        var broker = await BrokerProcess.Start();
        foreach (var (name, value) in values)
            broker.SetSecret(name, value);
        await broker.Grant("sbx-test", Ticket, [.. values.Keys]);
        var proxy = await SandboxProxy.Start();
        using (var connection = await broker.Open(Ticket))
            proxy.HandOver(connection);
        await proxy.Enforce(policy);
        return new BrokeredProxy(broker, proxy);
    }

    sealed record BrokeredProxy(BrokerProcess Broker, SandboxProxy Proxy) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Proxy.DisposeAsync();
            await Broker.DisposeAsync();
        }
    }

    /// <summary>Says OK to a token that the issuer has minted, and to no other.</summary>
    static Task<Origin> StrictOrigin(TokenIssuer issuer) => Origin.Start(async context =>
    {
        var sent = context.Request.Headers.Authorization.ToString();
        var good = sent.StartsWith("Bearer ", StringComparison.Ordinal) && issuer.Tokens.Contains(sent["Bearer ".Length..]);
        context.Response.StatusCode = good ? 200 : 401;
        await context.Response.WriteAsync(good ? "OK" : "invalid token");
    });
}
