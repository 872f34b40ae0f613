using System.Text.Json;
using Centaur.Proxy.Tests.Fixtures;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Management;

public sealed class ManagementTests
{
    const string File = """
        proxy: { tunnel_listen: "127.0.0.1:0" }
        tls: { ca_cert: ca.pem, ca_key: ca.pem }
        management: { listen: "127.0.0.1:0", api_key_env: MANAGEMENT_KEY }
        audit: { file: audit.ndjson }
        """;

    static readonly Dictionary<string, string> Environment = new() { ["MANAGEMENT_KEY"] = ConfiguredProxy.Key };

    [Fact]
    public async Task A_reload_with_the_key_says_ok()
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: Environment);

        var (status, body, _) = await proxy.Manage(HttpMethod.Post, "/v1/reload", "Bearer " + ConfiguredProxy.Key);

        status.ShouldBe(200);
        body.ShouldBe("""{"status":"ok"}""");
        await proxy.Says("Policy version 2 is in force");
        proxy.Errors.ShouldNotContain(ConfiguredProxy.Key);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer " + ConfiguredProxy.Key + "x")]
    [InlineData("Basic " + ConfiguredProxy.Key)]
    [InlineData(ConfiguredProxy.Key)]
    public async Task A_reload_without_the_key_is_refused(string? authorization)
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: Environment);

        var (status, body, headers) = await proxy.Manage(HttpMethod.Post, "/v1/reload", authorization);

        status.ShouldBe(401);
        body.ShouldBe("""{"error":"unauthorized"}""");
        headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        await proxy.Says("did not hold the key");
        proxy.Errors.ShouldNotContain("Policy version 2");
    }

    [Fact]
    public async Task Another_method_is_not_allowed_and_another_path_is_not_known()
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: Environment);

        var (status, _, _) = await proxy.Manage(HttpMethod.Get, "/v1/reload", "Bearer " + ConfiguredProxy.Key);
        status.ShouldBe(405);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var answer = await client.GetAsync(new Uri($"http://{await proxy.Address(ConfiguredProxy.Management)}/v1/reload"), TestContext.Current.CancellationToken);
        answer.Content.Headers.Allow.ShouldBe(["POST"]);
        foreach (var path in new[] { "/", "/v1/status", "/v1/sync", "/healthz", "/v1/reload/" })
            (await proxy.Manage(HttpMethod.Post, path, "Bearer " + ConfiguredProxy.Key)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_file_with_an_error_is_answered_422_with_what_is_wrong()
    {
        await using var proxy = await ConfiguredProxy.Start(File, environment: Environment);

        var (status, body) = await proxy.Reload(File + "\ntransfroms: []\n");

        status.ShouldBe(422);
        JsonElement.Parse(body).GetProperty("error").GetString()!.ShouldContain("did you mean \"transforms\"");
    }

    [Fact]
    public async Task A_management_without_a_key_does_not_start()
    {
        await using var proxy = await ConfiguredProxy.Start(File);

        var (code, text) = await proxy.End();

        code.ShouldBe(2);
        text.ShouldContain("MANAGEMENT_KEY");
    }

    [Fact]
    public async Task Iron_proxys_own_variable_holds_the_key_where_none_is_named()
    {
        await using var proxy = await ConfiguredProxy.Start(
            File.Replace(", api_key_env: MANAGEMENT_KEY", "", StringComparison.Ordinal), environment: new Dictionary<string, string> { ["IRON_MANAGEMENT_API_KEY"] = ConfiguredProxy.Key });

        (await proxy.Manage(HttpMethod.Post, "/v1/reload", "Bearer " + ConfiguredProxy.Key)).Status.ShouldBe(200);
    }
}
