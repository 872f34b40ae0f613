using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Upstream;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Upstream;

public sealed class AddressGuardTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.170.2")]
    [InlineData("169.254.170.23")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("100.100.100.200")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("fe80::1")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("::1")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("::")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("2001:0:7f00:1::")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("fc00::1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    public void P01_P02_P03_P04_an_address_that_is_not_public_is_never_dialled(string address) =>
        AddressGuard.IsPublic(IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("140.82.112.3")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::101:101")]
    public void A_public_address_is(string address) => AddressGuard.IsPublic(IPAddress.Parse(address)).ShouldBeTrue();

    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost.")]
    public async Task F40_a_name_that_resolves_to_loopback_is_refused_when_it_is_dialled(string host)
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing("localhost"));
        using var client = proxy.Client();

        using var answer = await client.GetAsync($"https://{host}/", Token);

        ((int)answer.StatusCode).ShouldBe(502);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["destination_ip_prohibited"]);
        (await proxy.AuditRecord("outcome")).GetProperty("cause").GetString().ShouldBe("destination_ip_prohibited");
    }

    [Fact]
    public async Task An_upstream_whose_certificate_is_another_authority_s_gets_nothing()
    {
        await using var origin = await Origin.Start(_ => Task.CompletedTask);
        using var stranger = new TestAuthority();
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing(Origin.Host) with { Map = [origin.Map() with { CaCertificate = stranger.Pem }] });
        using var client = proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["tls_error"]);
        origin.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_upstream_that_does_not_listen_is_named_so()
    {
        await using var proxy = await SandboxProxy.Start(TestPolicy.Allowing(Origin.Host) with { Map = [new(Origin.Host, 443, "127.0.0.1", 1)] });
        using var client = proxy.Client();

        using var answer = await client.GetAsync("https://api.vendor.test/", Token);

        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["connection_refused"]);
    }
}
