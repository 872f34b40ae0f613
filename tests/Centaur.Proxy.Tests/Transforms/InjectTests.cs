using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class InjectTests
{
    const string Key = "sk-injected-0123456789+/=";

    static readonly Dictionary<string, string> Environment = new() { ["INJECTED_KEY"] = Key };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P24_What_the_client_sent_in_the_bound_header_is_dropped_before_ours_is_set()
    {
        await using var origin = await Origin.StartStrict(Key);
        await using var proxy = await Start(origin, "header: authorization, formatter: 'Bearer {{ .Value }}', require: true");
        using var client = proxy.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/v1");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk-of-the-agent");
        request.Headers.TryAddWithoutValidation("AUTHORIZATION", "Basic c2VjcmV0");
        request.Headers.Range = new(0, 3);

        var answer = await client.SendAsync(request, Token);

        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("OK");
        var seen = origin.Seen.ShouldHaveSingleItem();
        seen.Headers["Authorization"].ShouldBe("Bearer " + Key);
        seen.Headers.ContainsKey("Range").ShouldBeFalse();
        proxy.Intents().ShouldHaveSingleItem().GetProperty("secrets").EnumerateArray().Select(name => name.GetString()).ShouldBe(["INJECTED_KEY"]);
        (proxy.AuditText + proxy.Errors).ShouldNotContain("sk-injected");
    }

    [Fact]
    public async Task P23_A_client_cannot_strip_the_injected_header_by_naming_it_in_connection()
    {
        await using var origin = await Origin.StartStrict(Key);
        await using var proxy = await Start(origin, "header: Authorization, formatter: 'Bearer {{ .Value }}'");
        using var client = proxy.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/v1");
        request.Headers.TryAddWithoutValidation("Connection", "authorization, x-other");

        (await client.SendAsync(request, Token)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_query_parameter_is_set_once_and_the_others_keep_their_order()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, "query_param: api key");
        using var client = proxy.Client();

        await client.GetStringAsync("https://api.vendor.test/v1/a%2Fb?z=1&api+key=mine&a=%20x&api%20key=other&b", Token);

        origin.Seen.ShouldHaveSingleItem().Target.ShouldBe("/v1/a%2Fb?z=1&a=%20x&b&api%20key=sk-injected-0123456789%2B%2F%3D");
        proxy.AuditText.ShouldNotContain("sk-injected");
    }

    [Fact]
    public async Task An_upstream_that_echoes_the_injected_value_is_not_heard()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("you sent " + context.Request.Headers.Authorization));
        await using var proxy = await Start(origin, "header: Authorization, formatter: 'Basic {{ printf \"u:%s\" .Value | base64 }}'");
        using var client = proxy.Client();

        var answer = await client.GetStringAsync("https://api.vendor.test/", Token);

        origin.Seen.ShouldHaveSingleItem().Headers["Authorization"].ShouldBe("Basic " + Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes("u:" + Key)));
        answer.ShouldStartWith("you sent Basic");
        answer.ShouldContain("centaur-hidden-INJECTED_KEY");
    }

    [Fact]
    public async Task P32_A_value_that_cannot_be_had_refuses_the_request_and_nothing_is_sent()
    {
        await using var origin = await Origin.StartStrict(Key);
        await using var proxy = await StandaloneProxy.Start(Transform("header: Authorization"), [(Origin.Host, origin, "INJECTED_KEY")], new Dictionary<string, string>());
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/v1", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["secret_unavailable"]);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_injected_in_clear_text_on_another_host_or_another_route()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, "header: Authorization", "methods: [GET], paths: [/v1/*]");
        using var client = proxy.Client();

        var plain = await client.GetAsync("http://api.vendor.test/v1/x", Token);
        plain.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        plain.Headers.GetValues("X-Centaur-Denied").ShouldBe(["credential_in_cleartext"]);
        await client.GetStringAsync("https://api.vendor.test/v2/x", Token);
        await client.PostAsync("https://api.vendor.test/v1/x", new StringContent("x"), Token);
        await client.GetStringAsync("https://other.vendor.test/v1/x", Token);

        origin.Seen.Count.ShouldBe(3);
        origin.Seen.ShouldAllBe(seen => !seen.Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task A_mapped_upstream_gets_only_what_its_entry_names()
    {
        await using var origin = await Origin.StartStrict(Key);
        await using var proxy = await StandaloneProxy.Start(Transform("header: Authorization"), [(Origin.Host, origin, "")], Environment);
        using var client = proxy.Client();

        var answer = await client.GetAsync("https://api.vendor.test/v1", Token);

        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["credential_not_mapped"]);
        origin.Seen.ShouldBeEmpty();
    }

    static Task<StandaloneProxy> Start(Origin origin, string inject, string rule = "") => StandaloneProxy.Start(
        Transform(inject, rule), [(Origin.Host, origin, "INJECTED_KEY"), ("other.vendor.test", origin, "INJECTED_KEY")], Environment);

    static string Transform(string inject, string rule = "") => $$"""
          - name: secrets
            config:
              secrets:
                - source: { type: env, var: INJECTED_KEY }
                  inject: { {{inject}} }
                  rules: [{ host: {{Origin.Host}}{{(rule.Length > 0 ? ", " + rule : "")}} }]
        """;
}
