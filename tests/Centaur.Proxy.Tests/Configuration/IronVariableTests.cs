using System.Net;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Tests.Fixtures;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

public sealed class IronVariableTests
{
    const string File = "proxy: { tunnel_listen: '127.0.0.1:1' }\ntls: { ca_cert: ca.pem, ca_key: ca.pem }\n";

    [Fact]
    public void A_variable_wins_over_the_file()
    {
        var config = Read(File, new()
        {
            ["IRON_PROXY_TUNNEL_LISTEN"] = "127.0.0.1:2",
            ["IRON_PROXY_HTTP_LISTEN"] = "127.0.0.1:3",
            ["IRON_PROXY_HTTPS_LISTEN"] = "127.0.0.1:4",
            ["IRON_METRICS_LISTEN"] = "127.0.0.1:5",
            ["IRON_MANAGEMENT_LISTEN"] = "127.0.0.1:6",
            ["IRON_TLS_CA_CERT"] = "/other.pem",
            ["IRON_TLS_CERT_CACHE_SIZE"] = "7",
            ["IRON_TLS_LEAF_CERT_EXPIRY_HOURS"] = "8",
            ["IRON_PROXY_MAX_RESPONSE_BODY_BYTES"] = "9",
            ["IRON_PROXY_UPSTREAM_RESPONSE_HEADER_TIMEOUT"] = "10s",
            ["IRON_PROXY_UPSTREAM_DENY_CIDRS"] = "192.0.2.0/24, 2001:db8::/32",
            ["IRON_LOG_LEVEL"] = "warn",
        });

        config.Listen.ShouldBe(new ListenConfig { Tunnel = At(2), Http = At(3), Https = At(4), Metrics = At(5), Management = At(6) });
        config.Tls.ShouldBe(new TlsConfig(false, "/other.pem", "/etc/ca.pem", TimeSpan.FromHours(8), 7));
        config.Limits.LargestAnswer.ShouldBe(9);
        config.Limits.AnswerTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        config.DialRules.Denied.ShouldBe([IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("2001:db8::/32")]);
        config.LogLevel.ShouldBe(LogLevel.Warning);
    }

    [Fact]
    public void What_is_wrong_with_a_variable_is_said_by_its_name() =>
        Problem(File, new() { ["IRON_LOG_LEVEL"] = "loud", ["IRON_TLS_CERT_CACHE_SIZE"] = "many" })
            .ShouldSatisfyAllConditions(said => said.ShouldContain("IRON_LOG_LEVEL: log"), said => said.ShouldContain("IRON_TLS_CERT_CACHE_SIZE: tls.cert_cache_size must be a number"));

    [Theory]
    [InlineData("IRON_PROXY_TUNEL_LISTEN", "did you mean IRON_PROXY_TUNNEL_LISTEN?")]
    [InlineData("IRON_LOGLEVEL", "did you mean IRON_LOG_LEVEL?")]
    [InlineData("IRON_PROXY_TOKEN", "there is no control plane")]
    [InlineData("IRON_CONTROL_PLANE_URL", "there is no control plane")]
    [InlineData("IRON_PROXY_PG_LISTEN", "write postgres.listen")]
    [InlineData("IRON_RESPONSE_RETRY_URL", "answers are not retried here")]
    public void A_variable_that_has_no_meaning_here_stops_the_start(string name, string said)
    {
        var message = Problem(File, new() { [name] = "x" });

        message.ShouldContain(name);
        message.ShouldContain(said);
    }

    [Fact]
    public void A_variable_that_the_file_names_is_known() =>
        Read(
            File + "management: { listen: '127.0.0.1:0', api_key_env: IRON_OWN_KEY }\ntransforms: [{ name: secrets, config: { secrets: [{ source: { type: env, var: IRON_VENDOR_KEY }, replace: { proxy_value: ABCDEFGH } }] } }]\n",
            new() { ["IRON_OWN_KEY"] = "x", ["IRON_VENDOR_KEY"] = "y", ["IRON_MANAGEMENT_API_KEY"] = "z", ["IRONY"] = "", ["IRON_DNS_ENABLED"] = "false" })
            .Secrets.ShouldNotBeEmpty();

    [Fact]
    public async Task The_program_reads_them()
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: new Dictionary<string, string> { ["IRON_PROXY_TUNNEL_LISTEN"] = "127.0.0.1:0", ["IRON_METRICS_LISTEN"] = "127.0.0.1:0" });

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        (await client.GetStringAsync($"http://{await proxy.Address(ConfiguredProxy.Metrics)}/healthz", TestContext.Current.CancellationToken)).ShouldBe("OK");
        (await proxy.Address(ConfiguredProxy.Tunnel)).Port.ShouldNotBe(1);
    }

    [Fact]
    public async Task The_program_does_not_start_with_one_that_nobody_knows()
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: new Dictionary<string, string> { ["IRON_PROXY_TUNEL_LISTEN"] = "127.0.0.1:0" });

        var (code, text) = await proxy.End();

        code.ShouldBe(2);
        text.ShouldContain("did you mean IRON_PROXY_TUNNEL_LISTEN?");
    }

    static IPEndPoint At(int port) => new(IPAddress.Loopback, port);

    static ProxyConfig Read(string text, Dictionary<string, string> environment) => ConfigReader.Read(new StringReader(text), "/etc/proxy.yaml", environment);

    static string Problem(string text, Dictionary<string, string> environment) => Should.Throw<UsageException>(() => Read(text, environment)).Message;
}
