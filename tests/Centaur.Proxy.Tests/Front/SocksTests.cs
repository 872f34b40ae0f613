using System.Net;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Front;

public sealed class SocksTests
{
    static readonly byte[] Greeting = [5, 1, 0];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_is_reached_and_TLS_inside_is_looked_into()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"));
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);

        (await Ask(client, Name(Origin.Host, 443))).ShouldBe("\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0");
        await client.StartTls(Origin.Host);
        await client.Send("GET /x HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).ShouldEndWith("OK");
        origin.Seen.ShouldHaveSingleItem().Target.ShouldBe("/x");
    }

    [Theory]
    [InlineData("203.0.113.7", true)]
    [InlineData("2001:db8::7", true)]
    [InlineData("203.0.113.8", false)]
    [InlineData("2001:db8::8", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("::ffff:203.0.113.8", false)]
    public async Task P11_an_address_is_reached_only_where_a_rule_names_it(string address, bool granted)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("plain"), plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);
        var bytes = IPAddress.Parse(address).GetAddressBytes();

        var answer = await Ask(client, [5, 1, 0, (byte)(bytes.Length == 4 ? 1 : 4), .. bytes, 0, 80]);

        answer[3].ShouldBe(granted ? '\0' : '\x02');
        if (!granted)
            return;
        var host = address.Contains(':') ? $"[{address}]" : address;
        await client.Send($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        (await client.ReadToEnd()).ShouldEndWith("plain");
    }

    [Theory]
    [InlineData("evil.example", 443)]
    [InlineData("api.vendor.test", 22)]
    [InlineData("127.0.0.1", 443)]
    [InlineData("PLACEHOLDER_KEY.vendor.test", 443)]
    public async Task What_the_policy_does_not_allow_is_answered_with_not_allowed(string host, int port)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);

        (await Ask(client, Name(host, port)))[3].ShouldBe('\x02');

        (await client.ReadToEnd()).Length.ShouldBe(8);
        (await proxy.Record("refusal")).GetProperty("method").GetString().ShouldBe("SOCKS5");
    }

    [Theory]
    [InlineData(2, 1, '\x07')]
    [InlineData(3, 1, '\x07')]
    [InlineData(1, 9, '\x08')]
    public async Task Other_commands_and_kinds_of_address_are_not_known(byte command, byte kind, char said)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);

        (await Ask(client, [5, command, 0, kind, 1, 2, 3, 4, 0, 80]))[3].ShouldBe(said);
        await proxy.Record("refusal");
    }

    [Theory]
    [InlineData(new byte[] { 5, 1, 2 })]
    [InlineData(new byte[] { 5, 0 })]
    public async Task A_client_that_insists_on_authentication_is_told_that_there_is_none(byte[] greeting)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);

        await client.Send(greeting);

        (await client.ReadToEnd()).ShouldBe("\x05\xFF");
    }

    [Theory]
    [InlineData(443)]
    [InlineData(80)]
    public async Task P09_a_request_inside_is_for_the_host_and_port_that_were_asked_for(int port)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask, plaintext: true);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);

        await Ask(client, Name(Origin.Host, port));
        await client.Send($"GET / HTTP/1.1\r\nHost: api.vendor.test:{(port == 443 ? 80 : 443)}\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 421");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P27_bytes_that_are_neither_TLS_nor_HTTP_are_closed_and_recorded()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);
        await Ask(client, Name(Origin.Host, 443));

        await client.Send("\0\0\0\x14");

        (await client.ReadToEnd()).ShouldBeEmpty();
        (await proxy.Record("refusal")).GetProperty("cause").GetString().ShouldBe("protocol_not_allowed");
    }

    [Fact]
    public async Task The_client_of_the_runtime_is_served()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("OK"), plaintext: true);
        await using var proxy = await Start(origin);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = true, Proxy = new WebProxy($"socks5://{await proxy.Address(ConfiguredProxy.Tunnel)}") });

        (await client.GetStringAsync("http://api.vendor.test/", Token)).ShouldBe("OK");
    }

    static byte[] Name(string host, int port) => [5, 1, 0, 3, (byte)host.Length, .. Encoding.ASCII.GetBytes(host), (byte)(port >> 8), (byte)port];

    /// <summary>Greets, asks, and returns the first four bytes that were answered (of a grant all twelve).</summary>
    static async Task<string> Ask(RawClient client, byte[] request)
    {
        // In one piece: what is pipelined behind the greeting is not lost.
        await client.Send([.. Greeting, .. request]);
        var start = await client.ReadSome(4);
        return start[3] == '\0' ? start + await client.ReadSome(8) : start;
    }

    static Task<ConfiguredProxy> Start(Origin origin) => ConfiguredProxy.Start(
        $$"""
        proxy: { tunnel_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        audit: { file: audit.ndjson }
        transforms:
          - { name: allowlist, config: { domains: ["{{Origin.Host}}", "203.0.113.7", "[2001:db8::7]"] } }
          - name: secrets
            config:
              secrets:
                - source: { type: env, var: VENDOR_KEY }
                  replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }
                  rules: [{ host: {{Origin.Host}} }]
        map:
          - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem }
          - { host: {{Origin.Host}}, port: 80, address: 127.0.0.1, target_port: {{origin.Port}} }
          - { host: "203.0.113.7", port: 80, address: 127.0.0.1, target_port: {{origin.Port}} }
          - { host: "[2001:db8::7]", port: 80, address: 127.0.0.1, target_port: {{origin.Port}} }
        """,
        new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem });
}
