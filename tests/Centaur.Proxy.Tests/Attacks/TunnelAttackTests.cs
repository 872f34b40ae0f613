using Centaur.Protocol.Policy;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Attacks;

/// <summary>What is sent through a tunnel that was opened for something else.</summary>
public sealed class TunnelAttackTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("other.vendor.test")]
    [InlineData("evil.test")]
    [InlineData("api.vendor.test.evil.test")]
    [InlineData("127.0.0.1")]
    public async Task P08_a_handshake_for_another_name_than_the_tunnels_is_refused(string name)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("*.vendor.test") with { Map = [origin.Map(), origin.Map("other.vendor.test")] });
        await using var client = await Opened(proxy);

        await Should.ThrowAsync<Exception>(() => client.StartTls(name));

        (await proxy.AuditRecord("refusal")).GetProperty("cause").GetString().ShouldBe("sni_mismatch");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("API.VENDOR.TEST")]
    [InlineData("api.vendor.test.")]
    public async Task P12_every_spelling_of_a_host_is_judged_as_the_one_that_it_means(string spelling)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var keyed = await KeyedProxy.Start(await Origin.Start(_ => Task.CompletedTask));
        await keyed.Proxy.Enforce(TestPolicy.WithKey(origin, new SecretBinding(["API.vendor.test."]) { Headers = ["x-api-key"] }));
        await using var client = await RawClient.Tunnel(keyed.Proxy);

        await client.Send($"GET / HTTP/1.1\r\nHost: {spelling}\r\nX-Api-Key: {TestPolicy.Placeholder}\r\n\r\n");

        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        origin.Seen.ShouldHaveSingleItem().Headers["X-Api-Key"].ShouldBe(Origin.RealKey);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("\u0005\u0001\0")]
    [InlineData("\0\0\u0000\bping")]
    public async Task P27_F44_another_protocol_in_a_tunnel_ends_it_and_nothing_of_it_leaves(string bytes)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await Opened(proxy);

        await client.Send(bytes);

        (await client.ReadToEnd()).ShouldNotContain("HTTP/1.1 200");
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task P27_F44_another_protocol_inside_of_TLS_is_a_bad_request()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.To(origin));
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send("SSH-2.0-OpenSSH_9.6\r\n\r\n");

        (await client.ReadToEnd()).ShouldStartWith("HTTP/1.1 400");
        origin.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("CONNECT")]
    [InlineData("TRACE")]
    public async Task F41_a_proxy_behind_the_tunnel_is_not_spoken_to(string method)
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        await using var proxy = await SandboxProxy.Start(TestPolicy.Empty with { Allow = [new EgressRule("get", [Origin.Host]) { Methods = ["GET"] }], Map = [origin.Map()] });
        await using var client = await RawClient.Tunnel(proxy);

        await client.Send($"{method} {(method == "CONNECT" ? "evil.test:443" : "/")} HTTP/1.1\r\nHost: {(method == "CONNECT" ? "evil.test:443" : Origin.Host)}\r\nConnection: close\r\n\r\n");

        (await client.ReadToEnd()).ShouldNotContain("HTTP/1.1 200");
        origin.Seen.ShouldBeEmpty();
    }

    static async Task<RawClient> Opened(SandboxProxy proxy)
    {
        var client = await RawClient.Connect(proxy);
        await client.Send($"CONNECT {Origin.Host}:443 HTTP/1.1\r\n\r\n");
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        Token.ThrowIfCancellationRequested();
        return client;
    }
}
