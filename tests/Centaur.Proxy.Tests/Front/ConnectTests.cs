using System.Net;
using System.Text;
using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Front;

public sealed class ConnectTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_that_nothing_allows_is_refused_with_a_reason_that_an_agent_can_act_on()
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("api.vendor.test"));
        await using var client = await RawClient.Connect(proxy);

        await client.Send("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n");
        var answer = await client.ReadToEnd();

        answer.ShouldStartWith("HTTP/1.1 403 Forbidden\r\n");
        answer.ShouldContain("X-Centaur-Denied: host_not_allowed\r\n");
        answer.ShouldContain("Content-Type: text/plain");
        answer.ShouldContain("evil.example is not on the list");
        answer.ShouldContain("policy version 1");
        answer.ShouldContain("operator");
        var record = await proxy.AuditRecord("refusal");
        record.GetProperty("host").GetString().ShouldBe("evil.example");
        record.GetProperty("cause").GetString().ShouldBe("host_not_allowed");
    }

    [Fact]
    public async Task A_spare_denies_everything()
    {
        await using var proxy = await SandboxProxy.Start();
        await using var client = await RawClient.Connect(proxy);

        await client.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("host_not_allowed");
    }

    [Theory]
    [InlineData("127.0.0.1:443")]
    [InlineData("2130706433:443")]
    [InlineData("0x7f.1:443")]
    [InlineData("0177.0.0.1:443")]
    [InlineData("[::1]:443")]
    [InlineData("[::ffff:127.0.0.1]:443")]
    [InlineData("169.254.169.254:80")]
    public async Task P11_an_address_is_refused_even_where_every_name_is_allowed(string target)
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Open = true, Allow = [new EgressRule("all", ["*"])] });
        await using var client = await RawClient.Connect(proxy);

        await client.Send($"CONNECT {target} HTTP/1.1\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("X-Centaur-Denied: host_not_allowed");
    }

    [Theory]
    [InlineData("API.Vendor.TEST")]
    [InlineData("api.vendor.test.")]
    public async Task P12_case_and_a_trailing_dot_make_no_other_host(string host)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Connect(proxy);

        await client.Send($"CONNECT {host}:443 HTTP/1.1\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
    }

    [Theory]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api.vendor.test:22\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api.vendor.test\r\nHost: api.vendor.test\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\n folded: x\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nA: b\nC: d\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")]
    [InlineData("CONNECT api.vendor.test:99999 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT user@api.vendor.test:443 HTTP/1.1\r\n\r\n")]
    [InlineData("CONNECT api.vendor.test:443 HTTP/2.0\r\n\r\n")]
    public async Task F41_a_CONNECT_head_that_can_be_read_in_two_ways_is_refused(string head)
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("api.vendor.test"));
        await using var client = await RawClient.Connect(proxy);

        await client.Send(head);

        (await client.ReadToEnd()).ShouldStartWith("HTTP/1.1 400");
    }

    [Fact]
    public async Task P25_an_endless_CONNECT_head_is_cut()
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("api.vendor.test"));
        await using var client = await RawClient.Connect(proxy);

        await client.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\nX: " + new string('x', 9000));

        (await client.ReadToEnd()).ShouldStartWith("HTTP/1.1 431");
    }

    [Fact]
    public async Task P08_a_server_name_that_is_not_the_tunnel_s_ends_the_handshake()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Connect(proxy);
        await client.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n");
        await client.ReadHead();

        await Should.ThrowAsync<Exception>(() => client.StartTls("other.vendor.test"));

        origin.Seen.ShouldBeEmpty();
        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("sni_mismatch");
    }

    [Fact]
    public async Task P10_an_allowed_host_is_not_allowed_on_another_port()
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("api.vendor.test"));
        await using var client = await RawClient.Connect(proxy);

        await client.Send("CONNECT api.vendor.test:22 HTTP/1.1\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("X-Centaur-Denied: port_not_allowed");
    }

    [Fact]
    public async Task P20_a_placeholder_in_the_CONNECT_head_is_refused()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.WithKey(origin));
        await using var client = await RawClient.Connect(proxy);

        await client.Send($"CONNECT api.vendor.test:443 HTTP/1.1\r\nProxy-Authorization: Bearer {TestPolicy.Placeholder}\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("X-Centaur-Denied: placeholder_not_bound");
    }

    [Theory]
    [InlineData("\0\0\0\x14" + "ssh-connection")]
    [InlineData("\x16\x03\x01\0\x04" + "\x02\0\0\0")]
    public async Task P27_bytes_that_are_neither_TLS_nor_HTTP_are_closed_and_recorded(string bytes)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Connect(proxy);
        await client.Send("CONNECT api.vendor.test:443 HTTP/1.1\r\n\r\n");
        await client.ReadHead();

        await client.Send(Encoding.Latin1.GetBytes(bytes));

        await client.ReadToEnd();
        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("protocol_not_allowed");
    }

    [Fact]
    public async Task Plain_HTTP_in_absolute_form_reaches_an_allowed_host()
    {
        await using var origin = await Origin.Start(context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "plain"), plaintext: true);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing(Origin.Host) with { Map = [origin.Map(port: 80)] });
        using var client = proxy.Client();

        (await client.GetStringAsync("http://api.vendor.test/x?y=1", Token)).ShouldBe("plain");
        (await client.GetAsync("http://evil.example/", Token)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("GET https://api.vendor.test/ HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n", "400")]
    [InlineData("GET http://api.vendor.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n", "400")]
    [InlineData("GET http://user:pw@api.vendor.test/ HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n", "400")]
    public async Task F41_without_a_tunnel_only_an_unambiguous_absolute_form_is_served(string request, string status)
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("api.vendor.test"));
        await using var client = await RawClient.Connect(proxy);

        await client.Send(request);

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 " + status);
    }

    [Fact]
    public async Task A_passed_through_host_sees_the_client_s_own_handshake()
    {
        await using var origin = await Origin.Start(context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "untouched"));
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Passthrough = [Origin.Host], Map = [origin.Map()] });
        using var client = proxy.Client();
        await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsync("https://api.vendor.test/", Token));

        await using var raw = await RawClient.Tunnel(proxy, trusted: origin.AuthorityPem);
        await raw.Send("GET / HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");

        (await raw.ReadToEnd()).ShouldContain("untouched");
        var intent = await proxy.AuditRecord("intent");
        intent.GetProperty("rule").GetString().ShouldBe("passthrough");
        intent.GetProperty("principal").GetString().ShouldBe("ada");
        (await proxy.AuditRecord("outcome")).GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task What_is_not_TLS_is_not_passed_through_and_that_is_recorded()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Passthrough = [Origin.Host], Map = [origin.Map()] });
        using var socket = await proxy.Connect(Token);

        await socket.SendAsync("CONNECT api.vendor.test:443 HTTP/1.1\r\nHost: api.vendor.test\r\n\r\nSSH-2.0-x\r\n"u8.ToArray(), Token);

        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("protocol_not_allowed");
        origin.Seen.ShouldBeEmpty();
    }
}
