using Centaur.Proxy.Front;
using Centaur.Proxy.Limits;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Front;

/// <summary>Clients that were led here by a resolver or a route, and speak as if to the host itself.</summary>
public sealed class DirectListenerTests
{
    static readonly Dictionary<string, string> Environment = new() { ["VENDOR_KEY"] = Origin.RealKey };

    [Fact]
    public async Task HTTPS_goes_to_the_host_of_the_handshake_and_the_key_is_swapped()
    {
        await using var origin = await Origin.StartStrict();
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);
        await client.StartTls(Origin.Host);

        await client.Send("GET /v1/models HTTP/1.1\r\nHost: api.vendor.test\r\nAuthorization: Bearer PLACEHOLDER_KEY\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).ShouldEndWith("OK");
        origin.Seen.ShouldHaveSingleItem().Target.ShouldBe("/v1/models");
        var intent = await proxy.Record("intent");
        (intent.GetProperty("host").GetString(), intent.GetProperty("port").GetInt32()).ShouldBe((Origin.Host, 443));
    }

    [Fact]
    public async Task HTTP_goes_to_the_host_of_each_request()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync(context.Request.Host.Value!), plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Http);

        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\nGET / HTTP/1.1\r\nHost: other.vendor.test\r\nConnection: close\r\n\r\n");

        var answers = await client.ReadToEnd();
        answers.ShouldContain("api.vendor.test");
        answers.ShouldContain("X-Centaur-Denied: host_not_allowed");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: \r\n\r\n", 400)]
    [InlineData("GET http://other.vendor.test/ HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n", 400)]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api.vendor.test:443\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: other.vendor.test\r\n\r\n", 403)]
    public async Task P14_what_is_not_allowed_or_has_no_one_meaning_is_refused_on_the_plain_listener(string request, int status)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Http);

        await client.Send(request);

        (await client.ReadHead()).ShouldStartWith($"HTTP/1.1 {status}");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/a/../b")]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/..;/b")]
    [InlineData("//b")]
    public async Task P13_a_path_with_two_meanings_is_refused(string path)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Http);

        await client.Send($"GET {path} HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: path_ambiguous");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P25_an_endless_head_is_cut()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Http);

        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX: " + new string('x', 40_000));

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 431");
    }

    [Theory]
    [InlineData(false, "HTTP/1.1 429")]
    [InlineData(true, "")]
    public async Task P34_a_connection_beyond_the_limit_is_turned_away(bool tls, string said)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await LimitedProxy.Start(new ProxyLimits { Connections = 0 }, TestPolicy.To(origin), tls ? Entrance.Https : Entrance.Http);
        await using var client = await proxy.Connect();

        (await client.ReadToEnd()).ShouldStartWith(said);
    }

    [Theory]
    [InlineData(ConfiguredProxy.Http)]
    [InlineData(ConfiguredProxy.Https)]
    public async Task P10_another_port_in_Host_needs_a_rule(string kind)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(kind);
        if (kind == ConfiguredProxy.Https)
            await client.StartTls(Origin.Host);

        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test:22\r\n\r\n");

        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: port_not_allowed");
    }

    [Fact]
    public async Task A_port_that_a_rule_allows_is_where_the_request_goes()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);
        await client.StartTls("ported.vendor.test");

        await client.Send("GET / HTTP/1.1\r\nHost: ported.vendor.test:8443\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("X-Centaur-Denied: tls_error");
        (await proxy.Record("intent")).GetProperty("port").GetInt32().ShouldBe(8443);
    }

    [Fact]
    public async Task P09_a_Host_that_is_not_the_server_name_is_refused()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);
        await client.StartTls(Origin.Host);

        await client.Send("GET / HTTP/1.1\r\nHost: ported.vendor.test\r\n\r\n");

        var head = await client.ReadHead();
        head.ShouldStartWith("HTTP/1.1 421");
        head.ShouldContain("X-Centaur-Denied: authority_mismatch");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P31_no_leaf_is_signed_for_a_host_that_nothing_allows()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);

        await Should.ThrowAsync<Exception>(() => client.StartTls("evil.example"));

        var refusal = await proxy.Record("refusal");
        (refusal.GetProperty("host").GetString(), refusal.GetProperty("cause").GetString()).ShouldBe(("evil.example", "host_not_allowed"));
    }

    [Fact]
    public async Task P08_a_handshake_without_a_server_name_leads_nowhere()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);

        await Should.ThrowAsync<Exception>(() => client.StartTls("127.0.0.1"));

        (await proxy.Record("refusal")).GetProperty("cause").GetString().ShouldBe("sni_mismatch");
    }

    [Fact]
    public async Task P27_what_is_not_TLS_is_closed_and_recorded()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);

        await client.Send("SSH-2.0-x\r\n");

        (await client.ReadToEnd()).ShouldBeEmpty();
        (await proxy.Record("refusal")).GetProperty("cause").GetString().ShouldBe("protocol_not_allowed");
    }

    static Task<ConfiguredProxy> Start(Origin origin) => ConfiguredProxy.Start(
        $$"""
        proxy: { http_listen: "127.0.0.1:0", https_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        audit: { file: audit.ndjson }
        transforms:
          - { name: allowlist, config: { rules: [{ host: {{Origin.Host}} }, { host: ported.vendor.test, ports: [443, 8443] }] } }
          - name: secrets
            config:
              secrets:
                - source: { type: env, var: VENDOR_KEY }
                  replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }
                  rules: [{ host: {{Origin.Host}} }]
        map:
          - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem, secrets: [VENDOR_KEY] }
          - { host: {{Origin.Host}}, port: 80, address: 127.0.0.1, target_port: {{origin.Port}} }
          - { host: ported.vendor.test, port: 8443, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem }
        """,
        new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem }, Environment);
}
