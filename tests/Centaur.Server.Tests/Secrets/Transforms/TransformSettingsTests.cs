using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets;

namespace Centaur.Server.Tests.Secrets.Transforms;

public sealed class TransformSettingsTests : IDisposable
{
    const string Rules = "rules: [{host: api.acme.example}]";
    const string Client = "grant: client_credentials, token_endpoint: 'https://login.acme.example/oauth/token', client_id: ACME_ID, client_secret: ACME_SECRET";

    readonly string home = Directory.CreateTempSubdirectory("centaur-transforms-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public void What_is_written_goes_into_the_policy_and_opens_its_hosts_and_only_the_token_path_of_its_endpoint()
    {
        var egress = Read(
            """
            egress:
              inject:
                - {source: STRIPE_KEY, header: Authorization, formatter: "Bearer {{ .Value }}", rules: [{host: API.Stripe.example, paths: [/v1/*], methods: [post]}]}
              oauth_token:
                - grant: client_credentials
                  token_endpoint: https://login.acme.example/oauth/token
                  client_id: ACME_ID
                  client_secret: ACME_SECRET
                  token_endpoint_headers: {X-Tenant: ACME_TENANT}
                  scopes: [read]
                  rules: [{host: api.acme.example}]
              gcp_auth:
                - {keyfile: GCP_KEY, scopes: [bigquery], rules: [{host: bigquery.googleapis.com}]}
              hmac_sign:
                - credentials: {secret: HOOK_SECRET, key_id: HOOK_ID}
                  timestamp: {format: unix_millis}
                  signature: {algorithm: sha512, output_encoding: hex, message: "{{ .Timestamp }}.{{ .Body }}"}
                  headers: [{name: X-Signature, value: "{{ .Credentials.key_id }}={{ .Signature }}"}]
                  allow_chunked_body: true
                  rules: [{host: hooks.acme.example, ports: [8443]}]
            """);

        var policy = PolicyBuilder.Build(new("sbx-1", 1, "t", null, null), [], new Dictionary<string, string>(), new("responses", new Uri("https://m.example/v1"), null, null), egress);

        policy.Secrets.ShouldBeEmpty();
        policy.Transforms.Select(transform => transform.Name).ShouldBe(["egress.inject[0]", "egress.oauth_token[0]", "egress.gcp_auth[0]", "egress.hmac_sign[0]"]);
        policy.Transforms.SelectMany(transform => transform.Problems()).ShouldBeEmpty();
        var token = policy.Transforms[1].ShouldBeOfType<OAuthTokenConfig>();
        token.Sources.ShouldBe([new("client_id", "ACME_ID", Confidential: false), new("client_secret", "ACME_SECRET"), new("token_endpoint_headers.X-Tenant", "ACME_TENANT")]);
        var sign = policy.Transforms[3].ShouldBeOfType<HmacSignConfig>();
        (sign.Timestamp, sign.Algorithm, sign.OutputEncoding, sign.KeyEncoding, sign.AllowChunkedBody).ShouldBe(("unix_millis", "sha512", "hex", "raw", true));
        egress.Unseen.Order().ShouldBe(["ACME_ID", "ACME_SECRET", "ACME_TENANT", "GCP_KEY", "HOOK_ID", "HOOK_SECRET", "STRIPE_KEY"]);
        policy.Allow.Single(rule => rule.Name == "egress.inject[0]").ShouldSatisfyAllConditions(
            rule => rule.Hosts.ShouldBe(["api.stripe.example"]), rule => rule.Methods.ShouldBe(["POST"]), rule => rule.Paths.ShouldBe(["/v1/*"]));
        policy.Allow.Single(rule => rule.Hosts.Contains("login.acme.example")).ShouldSatisfyAllConditions(
            rule => rule.Paths.ShouldBe(["/oauth/token"]), rule => rule.Methods.ShouldBe(["POST"]), rule => rule.Ports.ShouldBe([443]));
        policy.Allow.Single(rule => rule.Hosts.Contains("169.254.169.254")).Ports.ShouldBe([80]);
    }

    [Theory]
    [InlineData("inject: [{source: A, header: H, query_param: q, " + Rules + "}]", "egress.inject[]: needs either \"header\" or \"query_param\".")]
    [InlineData("inject: [{source: A, header: Connection, " + Rules + "}]", "egress.inject[]: the header Connection ends at this proxy and cannot be set.")]
    [InlineData("inject: [{source: A, header: H, formatter: '{{ .Valu }}', " + Rules + "}]", "no field \".Valu\"")]
    [InlineData("inject: [{source: A, header: H}]", "needs \"rules\"")]
    [InlineData("inject: [{source: A, header: H, rules: [{host: '*'}]}]", "to everybody")]
    [InlineData("inject: [{source: A, header: H, rules: [{host: '*.com'}]}]", "below a top-level domain")]
    [InlineData("inject: [{source: A, header: H, rules: [{host: 'https://a.example'}]}]", "is not a host name")]
    [InlineData("inject: [{source: A, header: H, rules: [{host: a.example, paths: [v1]}]}]", "\"v1\" does not start with a slash")]
    [InlineData("inject: [{header: H, " + Rules + "}]", "egress.inject[].source is missing")]
    [InlineData("inject: [{source: 'sk-live-1 2', header: H, " + Rules + "}]", "must be the name of a secret")]
    [InlineData("inject: [{source: A, headers: H, " + Rules + "}]", "Did you mean egress.inject[].header?")]
    [InlineData("oauth_token: [{grant: implicit, token_endpoint: 'https://a.example/t', " + Rules + "}]", "\"grant\" must be refresh_token, client_credentials, password or jwt_bearer, not \"implicit\"")]
    [InlineData("oauth_token: [{grant: password, token_endpoint: 'https://a.example/t', password: A, " + Rules + "}]", "needs \"username\"")]
    [InlineData("oauth_token: [{" + Client + ", issuer: A, " + Rules + "}]", "issuer has no meaning for client_credentials")]
    [InlineData("oauth_token: [{grant: refresh_token, refresh_token: A, token_endpoint: 'http://a.example/t', " + Rules + "}]", "must be an https address")]
    [InlineData("gcp_auth: [{keyfile: A, " + Rules + "}]", "needs \"scopes\"")]
    [InlineData("hmac_sign: [{credentials: {key: A}, signature: {message: m}, headers: [{name: S, value: s}], " + Rules + "}]", "\"credentials\" with \"secret\"")]
    [InlineData("hmac_sign: [{credentials: {secret: A}, headers: [{name: S, value: s}], " + Rules + "}]", "needs \"signature\" with \"message\"")]
    [InlineData("hmac_sign: [{credentials: {secret: A}, signature: {message: m, algorithm: md5}, headers: [{name: S, value: s}], " + Rules + "}]", "sha256, sha512 or sha1")]
    [InlineData("hmac_sign: [{credentials: {secret: A}, timestamp: {fromat: rfc3339}, signature: {message: m}, headers: [{name: S, value: s}], " + Rules + "}]", "Did you mean egress.hmac_sign[].timestamp.format?")]
    public void What_cannot_work_stops_the_start(string yaml, string said)
    {
        var message = Refusal(yaml);

        message.ShouldContain(said);
        message.ShouldNotContain("sk-live");
    }

    [Theory]
    [InlineData("inject: [{source: A, header: H, " + Rules + "}], passthrough: [api.acme.example]", "egress.passthrough names api.acme.example, which is never looked into, and egress.inject[0] is for it.")]
    [InlineData("inject: [{source: A, header: H, rules: [{host: '*.acme.example'}]}], passthrough: ['*.acme.example']", "egress.inject[0] is for it")]
    [InlineData("inject: [{source: A, header: H, " + Rules + "}], map: [{host: api.acme.example, address: 127.0.0.1}]", "egress.map leads api.acme.example to an address whose entry does not name the secret A among its secrets, and egress.inject[0] would send it there.")]
    [InlineData("oauth_token: [{" + Client + ", " + Rules + "}], map: [{host: login.acme.example, address: 127.0.0.1}]", "does not name the secret ACME_SECRET")]
    [InlineData("inject: [{source: A, header: H, " + Rules + "}], secrets: [A]", "egress.secrets names A, which egress.inject[0] keeps from sandboxes")]
    public void What_contradicts_the_rest_of_egress_stops_the_start(string yaml, string said) => Refusal(yaml).ShouldContain(said);

    [Fact]
    public void A_map_that_names_what_it_may_receive_is_no_contradiction() =>
        Read("egress: {oauth_token: [{" + Client + ", " + Rules + "}], map: [{host: login.acme.example, address: 127.0.0.1, secrets: [ACME_SECRET]}, {host: api.acme.example, port: 8443, address: 127.0.0.1}]}")
            .Transforms.Count.ShouldBe(1);

    string Refusal(string egress) => Should.Throw<SettingsException>(() => Read("egress: {" + egress + "}")).Message;

    EgressOptions Read(string yaml)
    {
        File.WriteAllText(Path.Combine(home, "centaur.yaml"), yaml);
        var settings = Settings.Load(new Dictionary<string, string> { ["CENTAUR_HOME"] = home, ["XDG_RUNTIME_DIR"] = home }, isRoot: false);
        using var app = Program.Compose(settings) as IDisposable;
        return EgressOptions.Read(settings);
    }
}
