using System.Net;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Upstream;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Upstream;

public sealed class OwnListenerTests
{
    static readonly Dictionary<string, string> Environment = new() { ["MANAGEMENT_KEY"] = ConfiguredProxy.Key, ["CLIENT"] = "client-password", ["DSN"] = "postgres://a@b.test/shop" };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ConfiguredProxy.Tunnel)]
    [InlineData(ConfiguredProxy.Http)]
    [InlineData(ConfiguredProxy.Https)]
    [InlineData(ConfiguredProxy.Metrics)]
    [InlineData(ConfiguredProxy.Management)]
    [InlineData("postgres")]
    public async Task P33_no_map_leads_back_to_a_listener_of_this_proxy(string kind)
    {
        await using var proxy = await ConfiguredProxy.Start(Yaml(""), environment: Environment);
        var port = kind == "postgres" ? await proxy.PostgresPort() : (await proxy.Address(kind)).Port;
        (await proxy.Reload(Yaml($"map: [{{ host: self.test, port: 80, address: 127.0.0.1, target_port: {port} }}]"))).Status.ShouldBe(200);
        using var client = await proxy.Client();

        using var answer = await client.GetAsync("http://self.test/healthz", Token);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        answer.Headers.GetValues("X-Centaur-Denied").ShouldBe(["destination_ip_prohibited"]);
        (await answer.Content.ReadAsStringAsync(Token)).ShouldContain("leads back to this proxy");
    }

    [Fact]
    public void P33_a_listener_on_every_address_is_found_by_each_of_them()
    {
        var own = new OwnListeners();
        own.Add(new IPEndPoint(IPAddress.IPv6Any, 9092));
        own.Add(new IPEndPoint(IPAddress.Parse("127.0.0.1"), 8080));

        foreach (var address in new[] { "127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1" })
            own.Include(IPAddress.Parse(address), 9092).ShouldBeTrue(address);
        foreach (var card in System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses))
            own.Include(card.Address, 9092).ShouldBeTrue(card.Address.ToString());
        own.Include(IPAddress.Parse("127.0.0.1"), 8080).ShouldBeTrue();
        own.Include(IPAddress.Parse("::ffff:127.0.0.1"), 8080).ShouldBeTrue();
        own.Include(IPAddress.Parse("127.0.0.1"), 8081).ShouldBeFalse();
        own.Include(IPAddress.Parse("93.184.216.34"), 9092).ShouldBeFalse();
    }

    static string Yaml(string map) => $$"""
        proxy: { tunnel_listen: "127.0.0.1:0", http_listen: "127.0.0.1:0", https_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        metrics: { listen: "127.0.0.1:0" }
        management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
        audit: { file: audit.ndjson }
        postgres:
          listen: "127.0.0.1:0"
          client: { user: agent, password_env: CLIENT }
          upstreams: [{ database: shop, dsn: { type: env, var: DSN } }]
        transforms: [{ name: allowlist, config: { domains: [self.test] } }]
        {{map}}
        """;
}
