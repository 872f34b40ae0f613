using System.Net;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Configuration;
using Centaur.Proxy.Hosting;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Configuration;

public sealed class StandaloneTests
{
    const string Minimal = "proxy: { tunnel_listen: ':0' }\ntls: { ca_cert: ca.pem, ca_key: ca.pem }\n";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("proxi: {}", "line 3", "\"proxi\"", "did you mean \"proxy\"")]
    [InlineData("transforms:\n  - name: allowlist\n    config: { domain: [a.test] }", "transforms[0].config", "did you mean \"domains\"")]
    [InlineData("transforms:\n  - name: alowlist", "there is no transform \"alowlist\"")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: env, var: X }, replace: { proxy_value: abcdefgh, match_heders: [A] } }] }", "did you mean \"match_headers\"")]
    [InlineData("transforms:\n  - name: allowlist\n    config: { domains: ['*'], warn: true }", "denies by default")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: vault, mount: kv, path: a }, replace: { proxy_value: abcdefgh } }] }", "no source type \"vault\"", "vault_kv")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: vault_kv, mount: kv, path: a, kv_version: 1 }, replace: { proxy_value: abcdefgh } }] }", "kv_version must be 2")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: vault_kv, mount: kv, path: ../sys, key: a }, replace: { proxy_value: abcdefgh } }] }", "is no place in Vault")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: 1password, secret_ref: op://only-a-vault }, replace: { proxy_value: abcdefgh } }] }", "is no place in 1Password", "op://Production/Billing/token")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: env, var: VAULT_TOKEN }, replace: { proxy_value: abcdefgh } }] }", "can never be granted")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: env, var: A, path: b }, replace: { proxy_value: abcdefgh } }] }", "has no key \"path\"")]
    [InlineData("transforms:\n  - name: secrets\n    config: { secrets: [{ source: { type: file, path: b, ttl: soon }, replace: { proxy_value: abcdefgh } }] }", "is not a duration")]
    [InlineData("log: { level: loud }", "\"level\" must be debug, info, warn")]
    [InlineData("map: [{ host: a.test }]", "needs \"address\"")]
    public void What_is_wrong_is_said_with_its_place_and_the_nearest_known_key(string text, params string[] said)
    {
        var message = Should.Throw<UsageException>(() => ConfigReader.Read(new StringReader(Minimal + text), "/etc/proxy.yaml")).Message;

        foreach (var part in said)
            message.ShouldContain(part);
    }

    [Fact]
    public void An_iron_proxy_file_becomes_rules_and_grants()
    {
        var config = ConfigReader.Read(
            new StringReader(Minimal + """
                dns: { enabled: false }
                log: { level: warn }
                transforms:
                  - name: allowlist
                    config:
                      domains: ["*.github.com"]
                      rules: [{ host: api.openai.com, methods: [POST], paths: [/v1/*] }]
                  - name: secrets
                    config:
                      secrets:
                        - source: { type: env, var: OPENAI_API_KEY }
                          replace: { proxy_value: OPENAI_API_KEY, match_headers: [Authorization], match_query: true }
                          rules: [{ host: api.openai.com }]
                """),
            "/etc/proxy.yaml");

        config.Policy.Allow.Select(rule => string.Join(',', rule.Hosts)).ShouldBe(["*.github.com", "api.openai.com"]);
        config.Policy.Allow[1].Paths.ShouldBe(["/v1/*"]);
        var grant = config.Policy.Secrets.ShouldHaveSingleItem();
        grant.Placeholder.ShouldBe("OPENAI_API_KEY");
        grant.Bindings.ShouldHaveSingleItem().Headers.ShouldBe(["Authorization"]);
        config.Secrets[grant.Name].Source.ShouldBe(new SecretSource(SecretSourceTypes.Environment, "OPENAI_API_KEY"));
        config.Notices.ShouldHaveSingleItem().ShouldContain("dns");
    }

    [Fact]
    public void The_sources_of_iron_proxy_are_read_in_its_own_keys()
    {
        var config = ConfigReader.Read(
            new StringReader(Minimal + """
                transforms:
                  - name: secrets
                    config:
                      secrets:
                        - { source: { type: file, path: key.txt, ttl: 5m, failure_ttl: 10s, json_key: token }, replace: { proxy_value: placeholder-1 } }
                        - { source: { type: vault_kv, mount: team/kv, path: apps/billing, kv_version: 2, json_key: token }, replace: { proxy_value: placeholder-2 } }
                        - { source: { type: 1password, secret_ref: "op://Production/Billing/token" }, replace: { proxy_value: placeholder-3 } }
                        - { source: { type: 1password_connect, secret_ref: "op://Production/Billing/login/token", ttl: "" }, replace: { proxy_value: placeholder-4 } }
                """),
            "/etc/proxy.yaml");

        var secrets = config.Policy.Secrets.Select(grant => config.Secrets[grant.Name]).ToList();
        secrets.Select(secret => secret.Source).ShouldBe(
        [
            new SecretSource("file", "/etc/key.txt", "token"),
            new SecretSource("vault_kv", "team/kv//apps/billing", "token"),
            new SecretSource("1password", "op://Production/Billing/token"),
            new SecretSource("1password_connect", "op://Production/Billing/login/token"),
        ]);
        secrets[0].Terms.TimeToLive.ShouldBe(TimeSpan.FromMinutes(5));
        secrets[0].Terms.LongestPause.ShouldBe(TimeSpan.FromSeconds(10));
        secrets[3].Terms.TimeToLive.ShouldBeGreaterThan(TimeSpan.FromDays(3000));
    }

    [Theory]
    [InlineData("{ type: env, var: STANDALONE_KEY }", "STANDALONE_KEY")]
    [InlineData("{ type: vault_kv, mount: secret, path: apps/vendor, json_key: token }", "secret/apps/vendor#token")]
    public async Task The_program_serves_a_file_swaps_a_key_and_answers_its_health(string source, string name)
    {
        await using var origin = await Origin.StartStrict("sk-standalone-real-1");
        await using var vault = await FakeVault.Start();
        vault.Secrets["secret/apps/vendor"] = """{"token":"sk-standalone-real-1"}""";
        using var authority = new TestAuthority();
        var folder = Directory.CreateTempSubdirectory("centaur-standalone-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "ca.pem"), authority.PemWithKey, Token);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "origin.pem"), origin.AuthorityPem, Token);
            var path = Path.Combine(folder.FullName, "proxy.yaml");
            await File.WriteAllTextAsync(path, $$"""
                proxy: { tunnel_listen: "127.0.0.1:0" }
                tls: { ca_cert: ca.pem, ca_key: ca.pem }
                metrics: { listen: "127.0.0.1:0" }
                audit: { file: audit.ndjson }
                transforms:
                  - { name: allowlist, config: { domains: [{{Origin.Host}}] } }
                  - name: secrets
                    config:
                      secrets:
                        - source: @SOURCE@
                          replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }
                          rules: [{ host: {{Origin.Host}} }]
                map:
                  - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem, secrets: [@NAME@] }
                """.Replace("@SOURCE@", source, StringComparison.Ordinal).Replace("@NAME@", name, StringComparison.Ordinal), Token);
            using var process = ProxyProgram.Start(["--config", path], environment: new Dictionary<string, string>(vault.Environment) { ["STANDALONE_KEY"] = "sk-standalone-real-1" });
            try
            {
                var tunnel = await Address(process);
                var metrics = await Address(process);
                using var client = Client(tunnel, authority);
                client.DefaultRequestHeaders.Add("Authorization", "Bearer PLACEHOLDER_KEY");

                (await client.GetStringAsync("https://api.vendor.test/", Token)).ShouldBe("OK");
                await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync("https://evil.example/", Token));
                using var direct = Client(null, authority);
                (await direct.GetStringAsync(metrics + "/healthz", Token)).ShouldBe("OK");
                (await File.ReadAllTextAsync(Path.Combine(folder.FullName, "audit.ndjson"), Token)).ShouldContain("allowlist.domains");
            }
            finally
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task<string> Address(System.Diagnostics.Process process)
    {
        while (await process.StandardError.ReadLineAsync(Token) is { } line)
        {
            if (line.Contains("Listening on ", StringComparison.Ordinal))
                return line[(line.IndexOf("http", StringComparison.Ordinal))..].TrimEnd('.').Replace("https:", "http:", StringComparison.Ordinal);
        }

        throw new InvalidOperationException("The program ended.");
    }

    static HttpClient Client(string? proxy, TestAuthority authority)
    {
        var handler = new SocketsHttpHandler { UseProxy = proxy is not null, Proxy = proxy is null ? null : new WebProxy(proxy) };
        handler.SslOptions.CertificateChainPolicy = new()
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authority.Pem);
        return new HttpClient(handler);
    }
}
