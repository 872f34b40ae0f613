using System.Net;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Upstream;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Upstream;

public sealed class ChainedProxyTests
{
    const string Address = Origin.PublicAddress;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task P07_the_chained_proxy_is_told_the_vetted_address(string scheme)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"), plaintext: scheme == "http");
        await using var chained = new ForwardProxy(origin.Port);
        await using var proxy = await Start(origin, $"{scheme}_proxy: 'http://user:hunter2@{chained.Address}'");
        using var client = await proxy.Client();

        (await client.GetStringAsync($"{scheme}://{Address}/", Token)).ShouldBe("OK");

        var head = chained.Asked.ShouldHaveSingleItem();
        head.ShouldStartWith($"CONNECT {Address}:{(scheme == "http" ? 80 : 443)} HTTP/1.1\r\n");
        head.ShouldContain($"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes("user:hunter2"))}\r\n");
        (proxy.Errors + proxy.AuditText).ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task P07_a_WebSocket_goes_by_the_same_way()
    {
        await using var origin = await Origin.Start(
            async context =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.SendAsync(Encoding.ASCII.GetBytes("hello"), System.Net.WebSockets.WebSocketMessageType.Text, true, context.RequestAborted);
                await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
            },
            plaintext: true);
        await using var chained = new ForwardProxy(origin.Port);
        await using var proxy = await Start(origin, $"http_proxy: '{chained.Address}'");
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.Proxy = new WebProxy($"http://{await proxy.Address(ConfiguredProxy.Tunnel)}");

        await socket.ConnectAsync(new Uri($"ws://{Address}/"), Token);
        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), Token);

        Encoding.ASCII.GetString(buffer, 0, received.Count).ShouldBe("hello");
        chained.Asked.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("10.1.2.3")]
    [InlineData("localhost")]
    public async Task P07_what_is_not_public_is_not_asked_of_the_chained_proxy_either(string host)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var chained = new ForwardProxy(origin.Port);
        await using var proxy = await Start(origin, $"http_proxy: '{chained.Address}'");
        using var client = await proxy.Client();

        using var answer = await client.GetAsync($"http://{host}/", Token);

        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["destination_ip_prohibited"]);
        chained.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("HTTP/1.1 407 Proxy Authentication Required", "answered 407")]
    [InlineData("SSH-2.0-x", "answered 0")]
    public async Task A_chained_proxy_that_opens_no_way_is_a_failure_with_its_status(string status, string said)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var chained = new ForwardProxy(origin.Port, status);
        await using var proxy = await Start(origin, $"http_proxy: '{chained.Address}'");
        using var client = await proxy.Client();

        using var answer = await client.GetAsync($"http://{Address}/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        (await answer.Content.ReadAsStringAsync(Token)).ShouldContain(said);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_mapped_name_and_TLS_that_is_relayed_go_their_configured_ways()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var chained = new ForwardProxy(origin.Port);
        await using var proxy = await ConfiguredProxy.Start($$"""
            proxy: { tunnel_listen: "127.0.0.1:0", upstream_proxy: { https_proxy: '{{chained.Address}}' } }
            tls: { mode: sni-only }
            audit: { file: audit.ndjson }
            transforms: [{ name: allowlist, config: { domains: ["{{Address}}", {{Origin.Host}}] } }]
            map: [{ host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}} }]
            """);
        foreach (var host in new[] { Origin.Host, Address })
        {
            await using var client = await proxy.Connect(ConfiguredProxy.Tunnel, origin.AuthorityPem);
            await client.Send($"CONNECT {host}:443 HTTP/1.1\r\n\r\n");
            await client.ReadHead();
            await client.StartTls(host);
        }

        chained.Asked.ShouldHaveSingleItem().ShouldStartWith($"CONNECT {Address}:443 ");
    }

    [Theory]
    [InlineData("*", "a.test", true)]
    [InlineData("b.test, a.test", "a.test", true)]
    [InlineData("a.test", "sub.a.test", true)]
    [InlineData(".a.test", "sub.a.test", true)]
    [InlineData(".a.test", "a.test", false)]
    [InlineData("*.a.test", "a.test", false)]
    [InlineData("a.test", "ba.test", false)]
    [InlineData("A.Test.", "a.test", true)]
    [InlineData("a.test:443", "a.test", true)]
    [InlineData("a.test:80", "a.test", false)]
    [InlineData("93.184.216.34", "a.test", true)]
    [InlineData("93.184.0.0/16", "a.test", true)]
    [InlineData("10.0.0.0/8", "a.test", false)]
    [InlineData("", "a.test", false)]
    public void What_goes_around_the_chained_proxy_is_named_by_host_address_or_network(string list, string host, bool covered)
    {
        var parsed = NoProxyList.Parse(list, out var wrong);

        wrong.ShouldBeEmpty();
        parsed.Covers(host, 443, [IPAddress.Parse("93.184.216.34")]).ShouldBe(covered);
    }

    static Task<ConfiguredProxy> Start(Origin origin, string chain) => ConfiguredProxy.Start(
        $$"""
        proxy: { tunnel_listen: "127.0.0.1:0", upstream_proxy: { {{chain}} } }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        audit: { file: audit.ndjson }
        transforms: [{ name: allowlist, config: { domains: ["{{Address}}", 169.254.169.254, 10.1.2.3, localhost] } }]
        """,
        new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem },
        // What the program takes for the system's trust.
        new Dictionary<string, string> { ["SSL_CERT_DIR"] = "/nonexistent", ["SSL_CERT_FILE"] = "{folder}/origin.pem" });
}
