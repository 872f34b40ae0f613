using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class HeaderAllowlistTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Headers_that_are_not_listed_do_not_leave_and_what_is_set_here_does()
    {
        await using var origin = await Origin.Start(async context => await context.Request.Body.CopyToAsync(context.Response.Body, Token));
        await using var proxy = await StandaloneProxy.Start(
            $$"""
              - name: secrets
                config:
                  secrets: [{ source: { type: env, var: LISTED_KEY }, inject: { header: X-Injected }, rules: [{ host: {{Origin.Host}} }] }]
              - name: header_allowlist
                config: { headers: [ACCEPT, content-type, /^x-listed-/], rules: [{ host: {{Origin.Host}}, paths: [/only/*] }] }
            """,
            [(Origin.Host, origin, "LISTED_KEY")], new Dictionary<string, string> { ["LISTED_KEY"] = "value-of-the-key" });
        using var client = proxy.Client();

        (await client.SendAsync(Request("https://api.vendor.test/only/x"), Token)).EnsureSuccessStatusCode();
        (await client.SendAsync(Request("https://api.vendor.test/all"), Token)).EnsureSuccessStatusCode();

        var seen = origin.Seen.ToArray();
        seen[0].Headers.Keys.Order(StringComparer.OrdinalIgnoreCase)
            .ShouldBe(["Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host", "X-Injected", "X-Listed-One"], StringComparer.OrdinalIgnoreCase);
        seen[0].Headers["Accept-Encoding"].ShouldBe("identity");
        seen[1].Headers.Keys.ShouldContain("X-Strange");
        seen[1].Headers.Keys.ShouldContain("Content-Language");
    }

    [Fact]
    public async Task A_name_that_takes_too_long_to_compare_refuses_the_request()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await StandaloneProxy.Start(
            $$"""
              - name: header_allowlist
                config: { headers: ['/^(a+)+$/'], rules: [{ host: {{Origin.Host}} }] }
            """,
            [(Origin.Host, origin, "")], new Dictionary<string, string>());
        using var client = proxy.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation(new string('a', 60) + "!", "1");

        (await client.GetAsync("https://api.vendor.test/", Token)).StatusCode.ShouldBe(System.Net.HttpStatusCode.BadRequest);
        origin.Seen.ShouldBeEmpty();
    }

    static HttpRequestMessage Request(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent("body") };
        request.Headers.TryAddWithoutValidation("Accept", "text/plain");
        request.Headers.TryAddWithoutValidation("X-Listed-One", "1");
        request.Headers.TryAddWithoutValidation("X-Strange", "2");
        request.Headers.TryAddWithoutValidation("User-Agent", "tests");
        request.Content.Headers.TryAddWithoutValidation("Content-Language", "en");
        return request;
    }
}
