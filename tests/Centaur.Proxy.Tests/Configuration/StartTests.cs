using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

/// <summary>What stops the program at its start, beyond the file's own text, and what <c>tls</c> does.</summary>
public sealed class StartTests
{
    const string Proxy = "proxy: { tunnel_listen: '127.0.0.1:0' }\naudit: { file: audit.ndjson }\n";

    [Fact]
    public async Task A_certificate_that_signs_no_others_is_refused()
    {
        using var authority = new TestAuthority();
        using var leaf = authority.Issue("a.test");
        await using var proxy = await ConfiguredProxy.Start(
            Proxy + "tls: { ca_cert: leaf.pem, ca_key: leaf.pem }\n",
            new Dictionary<string, string> { ["leaf.pem"] = leaf.ExportCertificatePem() + "\n" + leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() });

        var (code, text) = await proxy.End();

        code.ShouldBe(2);
        text.ShouldContain("not a certificate authority");
        text.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("tls: { ca_cert: ca.pem, ca_key: other.pem }")]
    [InlineData("tls: { ca_cert: other.pem, ca_key: ca.pem }")]
    [InlineData("tls: { ca_cert: nothing.pem, ca_key: ca.pem }")]
    public async Task A_key_that_is_not_the_certificates_is_refused(string tls)
    {
        using var other = ECDsa.Create();
        await using var proxy = await ConfiguredProxy.Start(Proxy + tls + "\n", new Dictionary<string, string> { ["other.pem"] = other.ExportPkcs8PrivateKeyPem() });

        var (code, text) = await proxy.End();

        code.ShouldBe(2);
        text.ShouldContain(".pem");
        text.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_listener_that_is_taken_is_said()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var proxy = await ConfiguredProxy.Start($"proxy: {{ tunnel_listen: '{taken.LocalEndpoint}' }}\ntls: {{ ca_cert: ca.pem, ca_key: ca.pem }}\n");

        var (code, text) = await proxy.End();

        code.ShouldBe(2);
        text.ShouldContain(taken.LocalEndpoint.ToString()!);
        text.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("", 72)]
    [InlineData(", leaf_cert_expiry_hours: 2", 2)]
    public async Task A_leaf_is_good_for_as_long_as_is_said(string more, int hours)
    {
        await using var proxy = await Start(more);
        using var leaf = await Leaf(proxy, "a.test");

        // The authority of these tests ends after a day.
        (leaf.NotAfter.ToUniversalTime() - TimeProvider.System.GetUtcNow().UtcDateTime).TotalHours.ShouldBe(Math.Min(hours, 24), 0.1);
    }

    [Fact]
    public async Task The_leaf_that_was_not_asked_for_longest_makes_room()
    {
        await using var proxy = await Start(", cert_cache_size: 2");
        var first = await Serial(proxy, "a.test");
        var second = await Serial(proxy, "b.test");

        (await Serial(proxy, "a.test")).ShouldBe(first);
        await Serial(proxy, "c.test");

        (await Serial(proxy, "a.test")).ShouldBe(first);
        (await Serial(proxy, "b.test")).ShouldNotBe(second);
    }

    static Task<ConfiguredProxy> Start(string tls) => ConfiguredProxy.Start(
        Proxy + $"tls: {{ ca_cert: ca.pem, ca_key: ca.pem{tls} }}\ntransforms: [{{ name: allowlist, config: {{ domains: ['*.test'] }} }}]\n");

    static async Task<string> Serial(ConfiguredProxy proxy, string host)
    {
        using var leaf = await Leaf(proxy, host);
        return leaf.SerialNumber;
    }

    static async Task<X509Certificate2> Leaf(ConfiguredProxy proxy, string host)
    {
        await using var client = await proxy.Connect(ConfiguredProxy.Tunnel);
        await client.Send($"CONNECT {host}:443 HTTP/1.1\r\n\r\n");
        (await client.ReadHead()).ShouldStartWith("HTTP/1.1 200");
        return await client.StartTls(host);
    }
}
