using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Management;

public sealed class ReloadTests
{
    static readonly Dictionary<string, string> Environment = new()
    {
        ["MANAGEMENT_KEY"] = ConfiguredProxy.Key, ["FIRST_KEY"] = "sk-first-value-0001", ["SECOND_KEY"] = "sk-second-value-0002",
    };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reload_opens_and_closes_hosts()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, Allowing(Origin.Host));
        using var client = await proxy.Client();
        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://other.vendor.test/", Token));

        (await proxy.Reload(Yaml(origin, Allowing("other.vendor.test")))).Status.ShouldBe(200);

        (await client.GetStringAsync("https://other.vendor.test/", Token)).ShouldBe("OK");
        // The tunnel of before is still open; what is asked inside is judged anew.
        using var answer = await client.GetAsync("https://api.vendor.test/", Token);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_request_in_flight_ends_under_the_policy_that_it_began_with()
    {
        var release = new TaskCompletionSource();
        await using var origin = await Origin.Start(async context =>
        {
            await context.Response.WriteAsync("begun ");
            await context.Response.Body.FlushAsync();
            await release.Task;
            await context.Response.WriteAsync($"ended with {context.Request.Headers.Authorization}");
        });
        await using var proxy = await Start(origin, Allowing(Origin.Host) + Swapping("FIRST_KEY"), "FIRST_KEY");
        using var client = await proxy.Client();
        using var message = new HttpRequestMessage(HttpMethod.Get, "https://api.vendor.test/");
        message.Headers.Add("Authorization", "Bearer PLACEHOLDER_KEY");
        using var answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Token);

        (await proxy.Reload(Yaml(origin, Allowing("other.vendor.test")))).Status.ShouldBe(200);
        release.SetResult();

        // Whole, and searched for the value that it was sent with.
        (await answer.Content.ReadAsStringAsync(Token)).ShouldBe("begun ended with Bearer PLACEHOLDER_KEY");
    }

    [Fact]
    public async Task A_name_that_stands_for_another_value_is_fetched_anew_and_the_old_one_is_searched_for_on()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync($"{context.Request.Headers.Authorization} sk-first-value-0001"));
        await using var proxy = await Start(origin, Allowing(Origin.Host) + Swapping("FIRST_KEY"), "FIRST_KEY");
        using var client = await proxy.Client();
        client.DefaultRequestHeaders.Add("Authorization", "Bearer PLACEHOLDER_KEY");
        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("Bearer PLACEHOLDER_KEY PLACEHOLDER_KEY");

        (await proxy.Reload(Yaml(origin, Allowing(Origin.Host) + Swapping("SECOND_KEY"), "SECOND_KEY"))).Status.ShouldBe(200);

        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("Bearer PLACEHOLDER_KEY PLACEHOLDER_KEY");
        origin.Seen.Select(request => request.Headers["Authorization"]).ShouldBe(["Bearer sk-first-value-0001", "Bearer sk-second-value-0002"]);
    }

    [Theory]
    [InlineData("proxy: { tunnel_listen: \"127.0.0.1:0\" }", "proxy: { tunnel_listen: \"127.0.0.1:1\" }", "proxy.tunnel_listen")]
    [InlineData("proxy: { tunnel_listen: \"127.0.0.1:0\" }", "proxy: { tunnel_listen: \"127.0.0.1:0\", upstream_deny_cidrs: [192.0.2.0/24] }", "proxy.upstream_deny_cidrs")]
    [InlineData("tls: { ca_cert: ca.pem, ca_key: ca.pem }", "tls: { mode: sni-only }", "tls.mode")]
    [InlineData("log: { level: info }", "log: { level: debug }", "log.level")]
    [InlineData("audit: { file: audit.ndjson }", "", "audit.file")]
    public async Task What_counts_at_the_start_only_is_named_and_nothing_of_the_file_is_taken(string before, string after, string key)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, Allowing(Origin.Host));
        using var client = await proxy.Client();

        var (status, body) = await proxy.Reload(Yaml(origin, Allowing("other.vendor.test")).Replace(before, after, StringComparison.Ordinal));

        status.ShouldBe(422);
        body.ShouldContain(key);
        body.ShouldContain("restart");
        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
    }

    [Theory]
    [InlineData("  - { name: alowlist, config: {} }")]
    [InlineData("  - { name: allowlist, config: { domains: [\"not a host\"] } }")]
    [InlineData("  - { name: secrets, config: { secrets: [{ source: { type: env, var: A }, replace: { proxy_value: short } }] } }")]
    [InlineData("  - { name: [")]
    public async Task A_file_with_an_error_changes_nothing(string transforms)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, Allowing(Origin.Host));
        using var client = await proxy.Client();

        (await proxy.Reload(Yaml(origin, transforms))).Status.ShouldBe(422);
        File.Delete(Path.Combine(proxy.Folder, "proxy.yaml"));
        (await proxy.Manage(HttpMethod.Post, "/v1/reload", "Bearer " + ConfiguredProxy.Key)).Status.ShouldBe(422);

        (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://other.vendor.test/", Token));
        (await proxy.Reload(Yaml(origin, Allowing("other.vendor.test")))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_hang_up_reloads_too()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, Allowing(Origin.Host));
        using var client = await proxy.Client();

        await proxy.Write("proxy.yaml", Yaml(origin, Allowing("other.vendor.test")));
        await proxy.HangUp();
        await proxy.Says("Policy version 2 is in force");
        (await client.GetStringAsync("https://other.vendor.test/", Token)).ShouldBe("OK");

        await proxy.Write("proxy.yaml", "nonsense");
        await proxy.HangUp();
        await proxy.Says("was not reloaded");
        (await client.GetStringAsync("https://other.vendor.test/", Token)).ShouldBe("OK");
    }

    [Fact]
    public async Task Reloads_under_load_break_no_request()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin, Allowing(Origin.Host));
        using var client = await proxy.Client();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var asking = Enumerable.Range(0, 4).Select(async _ =>
        {
            var served = 0;
            for (; !enough.IsCancellationRequested; served++)
                (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
            return served;
        }).ToList();
        for (var i = 0; i < 20; i++)
            (await proxy.Reload(Yaml(origin, Allowing(Origin.Host)))).Status.ShouldBe(200);
        await enough.CancelAsync();

        (await Task.WhenAll(asking)).ShouldAllBe(served => served > 0);
    }

    static Task<ConfiguredProxy> Start(Origin origin, string transforms, string secrets = "") =>
        ConfiguredProxy.Start(Yaml(origin, transforms, secrets), new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem }, Environment);

    static string Allowing(string host) => $$"""  - { name: allowlist, config: { domains: [{{host}}] } }""";

    static string Swapping(string variable) => $$"""

          - name: secrets
            config:
              secrets:
                - source: { type: env, var: {{variable}} }
                  replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }
                  rules: [{ host: {{Origin.Host}} }]
        """;

    static string Yaml(Origin origin, string transforms, string secrets = "") => $$"""
        proxy: { tunnel_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        log: { level: info }
        management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
        audit: { file: audit.ndjson }
        transforms:
        {{transforms}}
        map:
          - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem, secrets: [{{secrets}}] }
          - { host: other.vendor.test, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem }
        """;
}
