using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Access;

public sealed class AccessGateTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    static JsonObject Thread => new() { ["thread_key"] = Http.NewThread() };

    [Fact]
    public async Task A_request_without_a_key_is_401()
    {
        var (status, json) = await server.Client().Post("/agent/spawn", Thread);
        status.ShouldBe(HttpStatusCode.Unauthorized);
        json!.ToJsonString().ShouldBe("""{"detail":"Missing API key"}""");
    }

    [Fact]
    public async Task An_unknown_key_is_401()
    {
        var (status, json) = await server.Client("aiv2_nonsense").Post("/agent/spawn", Thread);
        status.ShouldBe(HttpStatusCode.Unauthorized);
        json!.ToJsonString().ShouldBe("""{"detail":"Invalid API key"}""");
    }

    [Theory]
    [InlineData("sbx1.e30=.AAAA")]
    [InlineData("sbx1.")]
    [InlineData("sbx1.eyJhbGciOiJub25lIn0=.")]
    public async Task F27_A_forged_sandbox_token_is_401(string token)
    {
        var (status, json) = await server.Client(token).Post("/agent/spawn", Thread);
        status.ShouldBe(HttpStatusCode.Unauthorized);
        json!.ToJsonString().ShouldBe("""{"detail":"Invalid or expired sandbox token"}""");
    }

    [Fact]
    public async Task X_Api_Key_wins_over_bearer()
    {
        using var client = server.Client("aiv2_nonsense");
        client.DefaultRequestHeaders.Add("X-Api-Key", server.Api.DefaultRequestHeaders.Authorization!.Parameter);
        (await client.Post("/agent/spawn", Thread)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_without_the_scope_is_403()
    {
        using var client = server.Client(await CreateKey("tools:*"));
        var (status, json) = await client.Post("/agent/spawn", Thread);
        status.ShouldBe(HttpStatusCode.Forbidden);
        ((string)json!["detail"]!).ShouldBe("API key scope does not permit 'agent:execute'");
    }

    [Fact]
    public async Task F28_An_operator_route_needs_admin()
    {
        using var client = server.Client(await CreateKey("agent"));
        var (status, json) = await client.Get("/admin/api-keys");
        status.ShouldBe(HttpStatusCode.Forbidden);
        json!.ToJsonString().ShouldBe("""{"detail":"Operator route requires admin scope"}""");
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once()
    {
        var created = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "short-lived", ["scopes"] = new JsonArray("agent") });
        using var client = server.Client((string)created["key"]!);
        (await client.Post("/agent/spawn", Thread)).Status.ShouldBe(HttpStatusCode.OK);

        (await server.Api.Send(HttpMethod.Delete, $"/admin/api-keys/{created["id"]}")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.Post("/agent/spawn", Thread)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await server.Api.Send(HttpMethod.Delete, $"/admin/api-keys/{created["id"]}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_key_is_shown_once_and_listed_without_its_text()
    {
        var created = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "listed", ["scopes"] = new JsonArray("agent:execute", "tools:github") });
        var key = (string)created["key"]!;
        key.ShouldMatch("^aiv2_[A-Za-z0-9_-]{43}$");
        ((string)created["key_prefix"]!).ShouldBe(key[..8]);

        var (_, list) = await server.Api.Get("/admin/api-keys");
        list!.ToJsonString().ShouldNotContain(key);
        var listed = list["keys"]!.AsArray().Single(k => (string)k!["name"]! == "listed")!;
        listed["active"]!.GetValue<bool>().ShouldBeTrue();
        listed["revoked_at"].ShouldBeNull();
    }

    [Fact]
    public async Task An_invalid_scope_is_named()
    {
        var (status, json) = await server.Api.Post("/admin/api-keys", new JsonObject { ["name"] = "wrong", ["scopes"] = new JsonArray("everything") });
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).ShouldStartWith("Invalid scope: everything. Must be one of:");
    }

    [Fact]
    public async Task Every_scope_that_the_command_line_explains_can_be_given()
    {
        foreach (var scope in Centaur.Protocol.Host.KeyScopes.All)
            await CreateKey(scope.Name.Replace("<name>", "x", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public async Task A_key_without_a_name_is_refused(string name) =>
        (await server.Api.Post("/admin/api-keys", new JsonObject { ["name"] = name, ["scopes"] = new JsonArray("agent") })).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);

    [Fact]
    public async Task The_first_key_is_in_a_private_file_and_is_made_again_when_the_file_is_lost()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var own = new ServerFixture(postgres);
        await own.Start(ct);
        var first = own.Api.DefaultRequestHeaders.Authorization!.Parameter!;
        File.GetUnixFileMode(own.Layout.BootstrapKeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        await own.Restart(ct);
        own.Api.DefaultRequestHeaders.Authorization!.Parameter.ShouldBe(first);

        File.Delete(own.Layout.BootstrapKeyFile);
        await own.Restart(ct);
        own.Api.DefaultRequestHeaders.Authorization!.Parameter.ShouldNotBe(first);
        (await own.Client(first).Get("/admin/api-keys")).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Static_service_keys_work_from_the_start()
    {
        await using var own = new ServerFixture(postgres) { Variables = new Dictionary<string, string> { ["SLACKBOT_API_KEY"] = "aiv2_slackbot-static-key-for-test" } };
        await own.Start(TestContext.Current.CancellationToken);
        (await own.Client("aiv2_slackbot-static-key-for-test").Post("/agent/spawn", Thread)).Status.ShouldBe(HttpStatusCode.OK);
        (await own.Client("aiv2_slackbot-static-key-for-test").Get("/admin/api-keys")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    async Task<string> CreateKey(string scope) =>
        (string)(await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = scope, ["scopes"] = new JsonArray(scope) }))["key"]!;
}
