using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Front;

/// <summary>TLS that is relayed by the name that its client asks for, and never looked into.</summary>
public sealed class SniOnlyTests
{
    [Theory]
    [InlineData(ConfiguredProxy.Https)]
    [InlineData(ConfiguredProxy.Tunnel)]
    public async Task An_allowed_host_is_relayed_with_its_own_certificate(string kind)
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("untouched"));
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(kind, origin.AuthorityPem);
        await Open(client, kind, Origin.Host);

        await client.StartTls(Origin.Host);
        await client.Send("GET /x HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).ShouldContain("untouched");
        (await proxy.Record("intent")).GetProperty("rule").GetString().ShouldBe("allowlist.domains");
        (await proxy.Record("outcome")).GetProperty("bytes_received").GetInt64().ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(ConfiguredProxy.Https, "evil.example", "host_not_allowed")]
    [InlineData(ConfiguredProxy.Https, "127.0.0.1", "sni_mismatch")]
    [InlineData(ConfiguredProxy.Tunnel, "other.vendor.test", "sni_mismatch")]
    public async Task P08_another_name_or_none_is_closed_and_recorded(string kind, string name, string cause)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(kind, origin.AuthorityPem);
        await Open(client, kind, Origin.Host);

        await Should.ThrowAsync<Exception>(() => client.StartTls(name));

        origin.Seen.ShouldBeEmpty();
        (await proxy.Record("refusal")).GetProperty("cause").GetString().ShouldBe(cause);
    }

    [Fact]
    public async Task A_message_that_is_no_hello_is_closed_and_recorded()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);

        await client.Send([0x16, 3, 1, 0, 4, 2, 0, 0, 0]);

        (await client.ReadToEnd()).ShouldBeEmpty();
        (await proxy.Record("refusal")).GetProperty("cause").GetString().ShouldBe("protocol_not_allowed");
    }

    [Fact]
    public async Task A_hello_that_comes_byte_by_byte_is_waited_for()
    {
        await using var origin = await Origin.Start(context => context.Response.WriteAsync("untouched"));
        await using var proxy = await Start(origin);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);
        var hello = ClientHelloTests.Hello(Origin.Host);

        foreach (var one in hello)
            await client.Send([one]);

        // The origin's ServerHello.
        (await client.ReadSome(1)).ShouldBe("\x16");
    }

    [Fact]
    public async Task P01_a_name_that_resolves_to_this_machine_is_not_relayed()
    {
        await using var proxy = await ConfiguredProxy.Start("""
            proxy: { https_listen: "127.0.0.1:0" }
            tls: { mode: sni-only }
            audit: { file: audit.ndjson }
            transforms: [{ name: allowlist, config: { domains: [localhost] } }]
            """);
        await using var client = await proxy.Connect(ConfiguredProxy.Https);

        await Should.ThrowAsync<Exception>(() => client.StartTls("localhost"));

        (await proxy.Record("outcome")).GetProperty("cause").GetString().ShouldBe("destination_ip_prohibited");
    }

    static async Task Open(RawClient client, string kind, string host)
    {
        if (kind != ConfiguredProxy.Tunnel)
            return;
        await client.Send($"CONNECT {host}:443 HTTP/1.1\r\n\r\n");
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
    }

    static Task<ConfiguredProxy> Start(Origin origin) => ConfiguredProxy.Start($$"""
        proxy: { tunnel_listen: "127.0.0.1:0", https_listen: "127.0.0.1:0" }
        tls: { mode: sni-only }
        audit: { file: audit.ndjson }
        transforms: [{ name: allowlist, config: { domains: [{{Origin.Host}}] } }]
        map: [{ host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}} }]
        """);
}
