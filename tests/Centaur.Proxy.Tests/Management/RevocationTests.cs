using Centaur.Proxy.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Management;

/// <summary>A key that its source takes back ends what was sent with it, in the stand-alone proxy too.</summary>
public sealed class RevocationTests
{
    static readonly Dictionary<string, string> Environment = new() { ["MANAGEMENT_KEY"] = ConfiguredProxy.Key };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }", false)]
    [InlineData("replace: { proxy_value: PLACEHOLDER_KEY, match_headers: [Authorization] }", true)]
    [InlineData("inject: { header: Authorization }", false)]
    [InlineData("inject: { header: Authorization }", true)]
    public async Task P30_An_answer_under_way_ends_when_the_file_with_its_key_is_removed(string use, bool reloaded)
    {
        await using var origin = await Origin.Start(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(".");
                await context.Response.Body.FlushAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(200), context.RequestAborted);
            }
        });
        await using var proxy = await ConfiguredProxy.Start(
            Yaml(origin, use), new Dictionary<string, string> { ["origin.pem"] = origin.AuthorityPem, ["vendor.key"] = "sk-vendor-value-0001" }, Environment);
        using var client = await proxy.Client();
        using var message = new HttpRequestMessage(HttpMethod.Get, $"https://{Origin.Host}/");
        message.Headers.Add("Authorization", "PLACEHOLDER_KEY");
        using var answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Token);
        origin.Seen.Single().Headers["Authorization"].ShouldBe("sk-vendor-value-0001");
        if (reloaded)
            (await proxy.Reload(Yaml(origin, use))).Status.ShouldBe(200);

        await using var stream = await answer.Content.ReadAsStreamAsync(Token);
        // Three times as long as the key is used before it is read again, and nobody asks for it meanwhile.
        await stream.ReadExactlyAsync(new byte[15], Token);

        File.Delete(Path.Combine(proxy.Folder, "vendor.key"));

        await Should.ThrowAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Token).WaitAsync(TimeSpan.FromSeconds(20), Token));
        while (!proxy.AuditText.Contains("secret_revoked", StringComparison.Ordinal))
            await Task.Delay(10, Token);
    }

    static string Yaml(Origin origin, string use) => $$"""
        proxy: { tunnel_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
        audit: { file: audit.ndjson }
        transforms:
          - { name: allowlist, config: { domains: [{{Origin.Host}}] } }
          - name: secrets
            config:
              secrets:
                - { source: { type: file, path: vendor.key, ttl: 1s }, {{use}}, rules: [{ host: {{Origin.Host}} }] }
        map:
          - { host: {{Origin.Host}}, address: 127.0.0.1, target_port: {{origin.Port}}, ca_cert: origin.pem, secrets: [vendor.key] }
        """;
}
