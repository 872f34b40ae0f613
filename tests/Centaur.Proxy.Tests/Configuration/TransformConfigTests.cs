using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

public sealed class TransformConfigTests
{
    const string Source = "{ type: env, var: X }";
    const string Rules = "rules: [{ host: a.test }]";
    const string Hmac = "signature: { message: m }, headers: [{ name: S, value: '{{ .Signature }}' }], " + Rules;

    [Theory]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A, formater: x }, " + Rules + " }]", "did you mean \"formatter\"")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A, query_param: b }, " + Rules + " }]", "either \"header\" or \"query_param\"")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A, formatter: '{{ .Valu }}' }, " + Rules + " }]", "line 6", "at character 4", "no field \".Valu\"")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: Connection }, " + Rules + " }]", "ends at this proxy")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: 'a b' }, " + Rules + " }]", "not the name of a header")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A } }]", "needs \"rules\"")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A }, rules: [{ host: '*' }] }]", "to everybody")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", inject: { header: A }, replace: { proxy_value: ABCDEFGH }, " + Rules + " }]", "cannot stand beside")]
    [InlineData("secrets", "secrets: [{ source: " + Source + ", " + Rules + " }]", "\"replace\" or \"inject\"")]
    [InlineData("header_allowlist", "headers: ['/(/'], " + Rules, "not a regular expression")]
    [InlineData("header_allowlist", "headers: [A]", "needs \"rules\"")]
    [InlineData("oauth_token", "tokens: []", "needs \"tokens\"")]
    [InlineData("oauth_token", "tokens: [{ grant: implicit, token_endpoint: 'https://a.test/t', " + Rules + " }]", "\"grant\" must be", "not \"implicit\"")]
    [InlineData("oauth_token", "tokens: [{ grant: password, token_endpoint: 'https://a.test/t', password: " + Source + ", " + Rules + " }]", "needs \"username\"")]
    [InlineData("oauth_token", "tokens: [{ grant: refresh_token, refresh_token: " + Source + ", issuer: " + Source + ", token_endpoint: 'https://a.test/t', " + Rules + " }]", "issuer has no meaning for refresh_token")]
    [InlineData("oauth_token", "tokens: [{ grant: refresh_token, refresh_token: " + Source + ", token_endpoint: 'http://a.test/t', " + Rules + " }]", "must be an https address")]
    [InlineData("oauth_token", "tokens: [{ grant: refresh_token, refresh_token: " + Source + ", token_endpoint: 'https://a.test/t' }]", "needs \"rules\"")]
    [InlineData("oauth_token", "tokens: [{ grant: refresh_token, refresh_token: " + Source + ", audience: x, token_endpoint: 'https://a.test/t', " + Rules + " }]", "\"audience\" has no meaning")]
    [InlineData("gcp_auth", "keyfile_path: k.json, scopes: [s]", "needs \"rules\"")]
    [InlineData("gcp_auth", "keyfile_path: k.json, keyfile: " + Source + ", scopes: [s], " + Rules, "either \"keyfile\" or \"keyfile_path\"")]
    [InlineData("gcp_auth", "keyfile_path: k.json, " + Rules, "needs \"scopes\"")]
    [InlineData("gcp_auth", "credentials_provider: { type: workload_identity }, scopes: [s], " + Rules, "credentials_provider is not supported")]
    [InlineData("hmac_sign", Hmac, "\"credentials\" with \"secret\"")]
    [InlineData("hmac_sign", "credentials: { key: " + Source + " }, " + Hmac, "\"credentials\" with \"secret\"")]
    [InlineData("hmac_sign", "credentials: { secret: " + Source + " }, timestamp: { format: iso }, " + Hmac, "\"format\" must be unix_seconds")]
    [InlineData("hmac_sign", "credentials: { secret: " + Source + " }, headers: [{ name: S, value: '{{ .Body }}' }], signature: { message: m }, " + Rules, "no field \".Body\"", ".Credentials.secret")]
    [InlineData("hmac_sign", "credentials: { secret: " + Source + " }, headers: [{ name: S, value: s }], signature: { message: m, algorithm: md5 }, " + Rules, "sha256, sha512 or sha1")]
    public void A_transform_that_cannot_work_stops_the_start_and_says_where(string name, string config, params string[] said)
    {
        var text = $"proxy: {{ tunnel_listen: ':0' }}\ntls: {{ ca_cert: ca.pem, ca_key: ca.pem }}\ntransforms:\n  - name: {name}\n    config:\n      {{ {config} }}\n";

        var message = Should.Throw<UsageException>(() => ConfigReader.Read(new StringReader(text), "/etc/proxy.yaml")).Message;

        foreach (var part in said)
            message.ShouldContain(part);
    }

    [Fact]
    public void The_cap_of_a_signed_body_is_a_number_above_zero() =>
        Should.Throw<UsageException>(() => ConfigReader.Read(
            new StringReader("proxy: { tunnel_listen: ':0', max_request_body_bytes: 0 }\ntls: { ca_cert: ca.pem, ca_key: ca.pem }\n"), "/etc/proxy.yaml")).Message.ShouldContain("larger than 0");
}
