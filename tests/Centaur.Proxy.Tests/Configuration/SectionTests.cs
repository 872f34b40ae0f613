using System.Net;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

/// <summary>The sections <c>proxy</c>, <c>tls</c>, <c>management</c>, and what iron-proxy has beside.</summary>
public sealed class SectionTests
{
    const string Listen = "tunnel_listen: ':0'";
    const string Tls = "tls: { ca_cert: ca.pem, ca_key: ca.pem }";

    [Theory]
    [InlineData("{ max_request_body_bytes: 5 }", "needs \"tunnel_listen\", \"http_listen\" or \"https_listen\"")]
    [InlineData("{ tunnel_listen: here }", "tunnel_listen must be address:port")]
    [InlineData("{ http_listen: 'example.com:80' }", "http_listen must be address:port")]
    [InlineData("{ https_listen: '::1' }", "https_listen must be address:port")]
    [InlineData("{ tunel_listen: ':0' }", "did you mean \"tunnel_listen\"")]
    [InlineData("{ " + Listen + ", upstream_deny_cidrs: [10.0.0.0/33] }", "is not a network")]
    [InlineData("{ " + Listen + ", upstream_deny_cidrs: 10.0.0.0/8 }", "must be a list")]
    [InlineData("{ " + Listen + ", upstream_private_exceptions: { '*.corp.test': [10.0.0.1] } }", "is not an exact name")]
    [InlineData("{ " + Listen + ", upstream_private_exceptions: { 10.0.0.1: [10.0.0.1] } }", "is not an exact name")]
    [InlineData("{ " + Listen + ", upstream_private_exceptions: { a.test: [10.0.0.0/8] } }", "is not one address")]
    [InlineData("{ " + Listen + ", upstream_private_exceptions: { a.test: [10.0.0.1], A.test.: [10.0.0.2] } }", "named twice")]
    [InlineData("{ " + Listen + ", upstream_response_header_timeout: soon }", "is not a duration")]
    [InlineData("{ " + Listen + ", max_response_body_bytes: -1 }", "must be a number of bytes")]
    [InlineData("{ " + Listen + ", upstream_proxy: { https_proxy: 'https://proxy.test' } }", "only http://")]
    [InlineData("{ " + Listen + ", upstream_proxy: { https_proxy: 'socks5://proxy.test' } }", "only http://")]
    [InlineData("{ " + Listen + ", upstream_proxy: { no_proxy: 'a b' } }", "no_proxy: \"a b\"")]
    [InlineData("{ " + Listen + ", upstream_proxy: { httpproxy: x } }", "did you mean \"http_proxy\"")]
    public void What_is_wrong_under_proxy_is_said(string section, string said) => Problem($"proxy: {section}\n{Tls}\n").ShouldContain(said);

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.170.2/32")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("100.64.1.1")]
    [InlineData("168.63.129.16")]
    [InlineData("::1")]
    [InlineData("fe80::1/128")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::7f00:1")]
    public void P01_no_exception_is_taken_for_this_machine_its_link_or_metadata(string address) =>
        Problem($"proxy: {{ {Listen}, upstream_private_exceptions: {{ a.test: ['{address}'] }} }}\n{Tls}\n").ShouldContain("is never dialled");

    [Fact]
    public void A_password_of_a_chained_proxy_is_in_no_message()
    {
        var said = Problem($"proxy: {{ {Listen}, upstream_proxy: {{ https_proxy: 'ftp://user:hunter2@proxy.test', http_proxy: 'http://user:hunter2@[' }} }}\n{Tls}\n");

        said.ShouldContain("https_proxy");
        said.ShouldContain("http_proxy");
        said.ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("{ ca_cert: a }", "tls needs \"ca_key\"")]
    [InlineData("{ mode: peek, ca_cert: a, ca_key: b }", "\"mode\" must be mitm or sni-only")]
    [InlineData("{ ca_cert: a, ca_key: b, cert_cache_size: 0 }", "cert_cache_size must lie between 1 and")]
    [InlineData("{ ca_cert: a, ca_key: b, leaf_cert_expiry_hours: 0 }", "leaf_cert_expiry_hours must lie between 1 and")]
    public void What_is_wrong_under_tls_is_said(string section, string said) => Problem($"proxy: {{ {Listen} }}\ntls: {section}\n").ShouldContain(said);

    [Theory]
    [InlineData("{ name: secrets, config: { secrets: [{ source: { type: env, var: A }, replace: { proxy_value: ABCDEFGH } }] } }", "secrets works inside of TLS")]
    [InlineData("{ name: header_allowlist, config: { headers: [A], rules: [{ host: a.test }] } }", "header_allowlist works inside of TLS")]
    [InlineData("{ name: allowlist, config: { rules: [{ host: a.test, paths: [/v1/*] }] } }", "transforms[0].config.rules[0] names methods or paths")]
    [InlineData("{ name: allowlist, config: { rules: [{ host: b.test }, { host: a.test, methods: [GET] }] } }", "transforms[0].config.rules[1] names methods or paths")]
    public void A_transform_that_needs_the_inside_contradicts_sni_only(string transform, string said)
    {
        var text = $"proxy: {{ {Listen} }}\ntls: {{ mode: sni-only }}\ntransforms: [{transform}]\n";

        Problem(text).ShouldContain(said);
        Read(text.Replace("mode: sni-only", "ca_cert: a, ca_key: b", StringComparison.Ordinal)).Tls.SniOnly.ShouldBeFalse();
    }

    [Fact]
    public void The_defaults_are_those_of_the_page()
    {
        var config = Read($"proxy: {{ {Listen} }}\n{Tls}\n");

        config.Listen.ShouldBe(new ListenConfig { Tunnel = new IPEndPoint(IPAddress.IPv6Any, 0) });
        config.Tls.ShouldBe(new TlsConfig(false, "/etc/ca.pem", "/etc/ca.pem", TimeSpan.FromHours(72), 1000));
        config.Limits.AnswerTimeout.ShouldBe(TimeSpan.FromSeconds(30));
        config.Limits.LargestAnswer.ShouldBeNull();
        config.Limits.Leaves.ShouldBe(1000);
        config.ManagementKeyVariable.ShouldBe("IRON_MANAGEMENT_API_KEY");
        config.Notices.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("0", null)]
    [InlineData("0s", null)]
    [InlineData("120s", 120.0)]
    [InlineData("1m30s", 90.0)]
    [InlineData("1500ms", 1.5)]
    [InlineData("0.5h", 1800.0)]
    public void Durations_are_written_as_in_Go(string text, double? seconds) =>
        Read($"proxy: {{ {Listen}, upstream_response_header_timeout: {text} }}\n{Tls}\n").Limits.AnswerTimeout.ShouldBe(seconds is { } number ? TimeSpan.FromSeconds(number) : null);

    [Theory]
    [InlineData("mcp: { servers: [] }", "mcp is not supported: tools that it forbids would pass")]
    [InlineData("mcp_gateway: { routes: [] }", "mcp_gateway is not supported")]
    [InlineData("transforms: [{ name: judge, config: { prompt: x } }]", "judge is not supported: what the judge would deny would pass")]
    [InlineData("transforms: [{ name: grpc, config: { target: x } }]", "grpc is not supported")]
    [InlineData("transforms: [{ name: aws_auth, config: {} }]", "aws_auth is not supported")]
    [InlineData("transforms: [{ name: gcp_id_token, config: {} }]", "gcp_id_token is not supported")]
    [InlineData("transforms: [{ name: request_policy, config: {} }]", "request_policy is not supported")]
    [InlineData("transforms: [{ name: json_rpc, config: {} }]", "json_rpc is not supported")]
    public void What_would_be_less_safe_without_stops_the_start(string text, string said) => Problem($"proxy: {{ {Listen} }}\n{Tls}\n{text}\n").ShouldContain(said);

    [Theory]
    [InlineData("dns: { enabled: true, listen: ':53', proxy_ip: 10.0.0.1, records: [] }", "dns has no effect here")]
    [InlineData("control_plane: { poll_interval: 10s }", "control_plane has no effect here")]
    [InlineData("transforms: [{ name: annotate, config: { annotations: [] } }]", "annotate has no effect here")]
    [InlineData("transforms: [{ name: body_capture, config: { rules: [] } }]", "body_capture has no effect here")]
    [InlineData("management: { listen: ':9092' }", "can be read on the way")]
    public void What_lets_nothing_through_is_passed_over_with_a_notice(string text, string said) =>
        Read($"proxy: {{ {Listen} }}\n{Tls}\n{text}\n").Notices.ShouldHaveSingleItem().ShouldContain(said);

    static ProxyConfig Read(string text) => ConfigReader.Read(new StringReader(text), "/etc/proxy.yaml");

    static string Problem(string text) => Should.Throw<UsageException>(() => Read(text)).Message;
}
