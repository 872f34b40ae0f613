using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Forwarding;

public sealed class StrictnessTests
{
    [Theory]
    [InlineData("Host: other.vendor.test")]
    [InlineData("Host: api.vendor.test:22")]
    public async Task P09_P10_a_request_for_another_host_or_port_than_the_tunnel_s_is_misdirected(string host)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("*.vendor.test") with { Map = [origin.Map()] });
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send($"GET / HTTP/1.1\r\n{host}\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 421");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/a/../b")]
    [InlineData("/a/./b")]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/%252e%252e/b")]
    [InlineData("/a/..;/b")]
    [InlineData("/a/..%2fb")]
    [InlineData("/a%5cb")]
    [InlineData("/a\\b")]
    [InlineData("/a%00b")]
    [InlineData("/a%0d%0ab")]
    [InlineData("//a")]
    [InlineData("/a//b")]
    [InlineData("/a%zz")]
    [InlineData("/a%2")]
    public async Task P13_a_path_that_can_be_read_in_two_ways_is_refused(string path)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send($"GET {path} HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 400");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/v1/a%2Fb?x=%20&y=a+b")]
    [InlineData("/v1/@scope%2fname")]
    [InlineData("/v1/%41b/~c;v=1?")]
    [InlineData("/v1/proxy/https%3A%2F%2Fexample.com")]
    public async Task P13_what_is_not_ambiguous_arrives_byte_for_byte(string target)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send($"GET {target} HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        origin.Seen.ShouldHaveSingleItem().Target.ShouldBe(target);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: 3, 3\r\n\r\nabc")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: -3\r\n\r\nabc")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: api.vendor.test\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX: a\r\n folded\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\nHost: api.vendor.test\n\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX: a\nY: b\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX: a\0b\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nHost: api.vendor.test\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("GET http://evil.example/ HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n")]
    public async Task P14_F42_a_message_that_two_parsers_could_frame_differently_is_refused_and_nothing_hidden_runs(string bytes)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send(bytes);

        var head = await client.ReadHead();
        (head.StartsWith("HTTP/1.1 400", StringComparison.Ordinal) || head.StartsWith("HTTP/1.1 501", StringComparison.Ordinal)).ShouldBeTrue(head);
        origin.Seen.ShouldNotContain(seen => seen.Target == "/hidden");
    }

    [Fact]
    public async Task F42_a_length_with_a_sign_goes_out_in_the_one_form_that_every_parser_reads()
    {
        await using var origin = await Origin.Start(context => context.Request.Body.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken));
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("POST /first HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: +3\r\n\r\nabcGET /second HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");
        await client.ReadToEnd();

        origin.Seen.Select(seen => seen.Target).ShouldBe(["/first", "/second"]);
        origin.Seen.First().Headers["Content-Length"].ShouldBe("3");
    }

    [Fact]
    public async Task F42_ten_thousand_headers_and_a_header_of_a_megabyte_are_refused()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var many = await RawClient.Tunnel(proxy);
        await using var big = await RawClient.Tunnel(proxy);

        await many.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n" + string.Concat(Enumerable.Range(0, 150).Select(i => $"X-{i}: y\r\n")) + "\r\n");
        await big.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX: " + new string('x', 40_000) + "\r\n\r\n");

        (await many.ReadHead()).ShouldStartWith("HTTP/1.1 431");
        (await big.ReadHead()).ShouldStartWith("HTTP/1.1 431");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P15_F44_a_websocket_upgrade_is_refused_and_the_connection_stays_under_policy()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("ok"));
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with
        {
            Allow = [new EgressRule("v1", [Origin.Host]) { Paths = ["/v1/*"] }],
            Map = [origin.Map()],
        });
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("GET /v1/ws HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            + "GET /admin HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).Split("X-Centaur-Denied: ").Skip(1).Select(part => part[..part.IndexOf('\r')]).ShouldBe(["upgrade_not_allowed", "route_not_allowed"]);
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("POST", "/v1/models", "route_not_allowed")]
    [InlineData("GET", "/v2/models", "route_not_allowed")]
    [InlineData("GET", "/v1x", "route_not_allowed")]
    [InlineData("GET", "/%76%31/models", "route_not_allowed")]
    public async Task F43_a_rule_that_names_method_and_path_allows_nothing_else(string method, string path, string code)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with
        {
            Allow = [new EgressRule("models", [Origin.Host]) { Methods = ["GET"], Paths = ["/v1/*"] }],
            Map = [origin.Map()],
        });
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send($"{method} {path} HTTP/1.1\r\nHost: api.vendor.test\r\nContent-Length: 0\r\n\r\n");

        (await client.ReadHead()).ShouldContain("X-Centaur-Denied: " + code);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task F41_what_only_a_proxy_may_say_does_not_come_from_a_client()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: host=evil.example\r\n"
            + "Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nConnection: x-hop\r\nX-Hop: y\r\nX-Kept: z\r\n\r\n");
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");

        var seen = origin.Seen.ShouldHaveSingleItem().Headers;
        seen["Host"].ShouldBe("api.vendor.test");
        seen["X-Kept"].ShouldBe("z");
        seen.Keys.ShouldNotContain(name => name.StartsWith("X-Forwarded", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase));
        seen.Keys.ShouldNotContain("Forwarded");
        seen.Keys.ShouldNotContain("X-Hop");
    }
}
