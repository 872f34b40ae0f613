using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Upstream;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Upstream;

public sealed class DialRulesTests
{
    static readonly DialRules Rules = new(
        [IPNetwork.Parse("93.184.216.0/24"), IPNetwork.Parse("2606:2800::/32")],
        new Dictionary<string, IPAddress[]> { ["db.corp.test"] = [IPAddress.Parse("10.1.2.3"), IPAddress.Parse("fd12::5"), IPAddress.Parse("93.184.216.9")] });

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("db.corp.test", "10.1.2.3", true)]
    [InlineData("db.corp.test", "::ffff:10.1.2.3", true)]
    [InlineData("db.corp.test", "fd12::5", true)]
    [InlineData("db.corp.test", "93.184.216.9", true)]
    [InlineData("db.corp.test", "10.1.2.4", false)]
    [InlineData("other.corp.test", "10.1.2.3", false)]
    [InlineData("sub.db.corp.test", "10.1.2.3", false)]
    [InlineData("10.1.2.3", "10.1.2.3", false)]
    public void P03_a_private_address_is_reached_by_the_exact_name_that_it_was_excepted_for(string host, string address, bool allowed) =>
        Rules.Allow(host, IPAddress.Parse(address)).ShouldBe(allowed);

    [Theory]
    [InlineData("93.184.216.34")]
    [InlineData("::ffff:93.184.216.34")]
    [InlineData("64:ff9b::5db8:d822")]
    [InlineData("2606:2800::1")]
    public void A_denied_network_is_denied_in_every_form(string address) => Rules.Allow("a.test", IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    public void P01_not_even_an_exception_leads_to_this_machine_or_to_metadata(string address) =>
        new DialRules([], new Dictionary<string, IPAddress[]> { ["a.test"] = [IPAddress.Parse(address)] }).Allow("a.test", IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("[192.0.2.0/24]", "169.254.169.254")]
    [InlineData("[]", "169.254.169.254")]
    [InlineData("[]", "169.254.170.2")]
    [InlineData("[]", "127.0.0.1")]
    [InlineData("[]", "0.0.0.0")]
    [InlineData("[]", "[::ffff:127.0.0.1]")]
    [InlineData("[]", "[64:ff9b::7f00:1]")]
    [InlineData("[]", "10.1.2.3")]
    [InlineData("[]", "100.64.0.1")]
    [InlineData("[93.184.216.0/24]", "93.184.216.34")]
    public async Task P01_P02_P03_P04_no_list_of_the_file_opens_an_address_that_is_not_public(string denied, string address)
    {
        await using var proxy = await ConfiguredProxy.Start($$"""
            proxy: { tunnel_listen: "127.0.0.1:0", upstream_deny_cidrs: {{denied}} }
            tls: { ca_cert: ca.pem, ca_key: ca.pem }
            audit: { file: audit.ndjson }
            transforms: [{ name: allowlist, config: { domains: ["{{address}}"] } }]
            """);
        using var client = await proxy.Client();

        using var answer = await client.GetAsync($"http://{address}/latest/meta-data/", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["destination_ip_prohibited"]);
    }
}
