using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Telemetry;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Access;

public sealed class SandboxTokensTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_sandbox_reads_its_own_thread_through_its_own_listener()
    {
        var (threadKey, token) = await Claimed();
        var (status, json) = await server.Sandbox(token).Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}");
        status.ShouldBe(HttpStatusCode.OK);
        json!["messages"]!.AsArray().Count.ShouldBe(0);
    }

    [Fact]
    public async Task F27_A_sandbox_is_refused_on_another_thread()
    {
        var (_, token) = await Claimed();
        var (other, _) = await Claimed();
        var (status, json) = await server.Sandbox(token).Get($"/agent/messages?thread_key={Uri.EscapeDataString(other)}");
        status.ShouldBe(HttpStatusCode.Forbidden);
        json!.ToJsonString().ShouldBe("""{"detail":"Sandbox token is scoped to a different thread"}""");
    }

    [Theory]
    [InlineData("GET", "/admin/api-keys")]
    [InlineData("POST", "/admin/api-keys")]
    [InlineData("POST", "/agent/execute")]
    [InlineData("POST", "/agent/spawn")]
    [InlineData("GET", "/admin/secrets")]
    [InlineData("GET", "/openapi.json")]
    [InlineData("GET", "/health/ready")]
    public async Task F28_The_sandboxes_listener_has_no_other_route(string method, string path)
    {
        var (_, token) = await Claimed();
        var before = Alerted();
        (await server.Sandbox(token).Send(new HttpMethod(method), path)).Status.ShouldBe(HttpStatusCode.NotFound);
        Alerted().ShouldBeGreaterThan(before);
        (await server.Sandbox(server.Api.DefaultRequestHeaders.Authorization!.Parameter).Send(new HttpMethod(method), path)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_path_that_is_nobodys_route_raises_no_alert()
    {
        await using var own = new ServerFixture(postgres);
        await own.Start(TestContext.Current.CancellationToken);

        (await own.Sandbox("none").Send(HttpMethod.Get, "/favicon.ico")).Status.ShouldBe(HttpStatusCode.NotFound);

        own.Services.GetRequiredService<Alerts>().Count.Samples.ShouldAllBe(sample => sample.Count == 0);
    }

    [Fact]
    public async Task F28_A_sandbox_token_is_no_operator_on_the_operators_listener()
    {
        var (_, token) = await Claimed();
        (await server.Client(token).Get("/admin/api-keys")).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task F27_A_token_dies_with_its_sandbox()
    {
        var (threadKey, token) = await Claimed();
        await Database.Execute($"update sandboxes set state = 'dead', ended_at = now() where thread_key = {threadKey}", TestContext.Current.CancellationToken);
        (await Read(threadKey, token)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F27_A_token_dies_with_its_generation()
    {
        var (threadKey, token) = await Claimed();
        await Database.Execute(
            $"update agent_runtime_assignments set state = 'released', released_at = now() where thread_key = {threadKey}", TestContext.Current.CancellationToken);
        (await Read(threadKey, token)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F27_A_request_without_a_token_is_401_at_the_sandboxes_listener()
    {
        var (threadKey, _) = await Claimed();
        (await server.Sandbox().Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}")).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F27_A_token_that_has_expired_is_401_although_its_signature_is_good()
    {
        var (threadKey, sandboxId) = await Spawned();
        var claims = SignedToken.Claims(threadKey, sandboxId);
        (await Read(threadKey, SignedToken.Of(claims, Key.Sign))).ShouldBe(HttpStatusCode.OK, "the same claims, in time");

        claims["expires_at"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 1;
        (await Read(threadKey, SignedToken.Of(claims, Key.Sign))).ShouldBe(HttpStatusCode.Unauthorized);
        claims.Remove("expires_at");
        (await Read(threadKey, SignedToken.Of(claims, Key.Sign))).ShouldBe(HttpStatusCode.Unauthorized, "a token without an end is none");
    }

    [Fact]
    public async Task F27_A_token_that_names_no_algorithm_or_another_is_401()
    {
        var (threadKey, sandboxId) = await Spawned();
        var claims = SignedToken.Claims(threadKey, sandboxId);
        var payload = SignedToken.Of(claims, Key.Sign).Split('.')[1];
        var none = SignedToken.Encode("""{"alg":"none","typ":"JWT"}"""u8.ToArray());
        var hs256 = SignedToken.Encode("""{"alg":"HS256","typ":"JWT"}"""u8.ToArray());

        foreach (var token in (string[])
        [
            $"sbx1.{payload}.", $"sbx1.{payload}", $"sbx1.{payload}.{SignedToken.Encode([])}", $"sbx1.{none}.{payload}.", $"sbx1.{none}.{payload}", $"{none}.{payload}.",
            $"{hs256}.{payload}.{SignedToken.Encode(Key.Sign($"{hs256}.{payload}"))}",
        ])
            (await Read(threadKey, token)).ShouldBe(HttpStatusCode.Unauthorized, token);
    }

    [Fact]
    public async Task F27_A_token_that_is_signed_with_another_key_or_by_what_the_key_signs_for_others_is_401()
    {
        var (threadKey, sandboxId) = await Spawned();
        var claims = SignedToken.Claims(threadKey, sandboxId);
        var api = server.Api.DefaultRequestHeaders.Authorization!.Parameter!;

        // Another key, no key, and a key that its caller knows.
        foreach (var key in (string[])["another", "", api])
            (await Read(threadKey, SignedToken.Of(claims, SignedToken.With(key)))).ShouldBe(HttpStatusCode.Unauthorized);
        // The key signs tickets for the broker as well: one is no token, in no shape.
        var ticket = Key.Sign("broker-ticket:" + sandboxId);
        foreach (var token in (string[])[Convert.ToHexStringLower(ticket), $"sbx1.broker-ticket:{sandboxId}.{SignedToken.Encode(ticket)}", $"sbx1.{SignedToken.Encode("null"u8.ToArray())}.{SignedToken.Encode(Key.Sign(SignedToken.Encode("null"u8.ToArray())))}"])
            (await Read(threadKey, token)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F27_A_token_for_the_sandboxes_audience_opens_nothing_of_the_operators_and_a_key_of_theirs_is_no_sandbox()
    {
        var (threadKey, token) = await Claimed();
        foreach (var path in (string[])["/metrics", "/admin/api-keys", "/admin/secrets"])
            (await server.Client(token).Get(path)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
        (await server.Public.Get("/agent/messages?thread_key=x")).Status.ShouldBe(HttpStatusCode.NotFound);

        var weak = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "status only", ["scopes"] = new JsonArray("agent:status") });
        (await Read(threadKey, (string)weak["key"]!)).ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task F27_A_token_of_an_earlier_generation_is_worth_nothing_to_the_thread_that_was_spawned_again()
    {
        var (threadKey, token) = await Claimed();
        await server.Api.PostOk($"/agent/threads/{Uri.EscapeDataString(threadKey)}/release", new JsonObject());
        var again = await server.Api.Spawn(threadKey);
        ((int)again["assignment_generation"]!).ShouldBe(2);

        (await Read(threadKey, token)).ShouldBe(HttpStatusCode.Unauthorized);
        (await Read(threadKey, SignedToken.Of(SignedToken.Claims(threadKey, (string)again["runtime_id"]!, generation: 1), Key.Sign))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task F27_Changed_claims_are_refused()
    {
        var (threadKey, token) = await Claimed();
        var (other, _) = await Claimed();
        var parts = token.Split('.');
        var claims = JsonNode.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(parts[1].Replace('-', '+').Replace('_', '/'))))!;
        ((string)claims["thread_key"]!).ShouldBe(threadKey);
        claims["thread_key"] = other;
        var forged = $"sbx1.{Convert.ToBase64String(Encoding.UTF8.GetBytes(claims.ToJsonString())).Replace('+', '-').Replace('/', '_')}.{parts[2]}";
        (await Read(other, forged)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public Task A_token_is_never_made_for_no_thread() =>
        Should.ThrowAsync<ArgumentException>(() => Tokens.Mint("", "sbx-1", 1, TestContext.Current.CancellationToken));

    SigningKey Key => server.Services.GetRequiredService<SigningKey>();

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    SandboxTokens Tokens => server.Services.GetRequiredService<SandboxTokens>();

    async Task<HttpStatusCode> Read(string threadKey, string token) =>
        (await server.Sandbox(token).Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}")).Status;

    async Task<(string ThreadKey, string Token)> Claimed()
    {
        var (threadKey, sandboxId) = await Spawned();
        return (threadKey, await Tokens.Mint(threadKey, sandboxId, 1, TestContext.Current.CancellationToken));
    }

    async Task<(string ThreadKey, string SandboxId)> Spawned()
    {
        var threadKey = Http.NewThread();
        return (threadKey, (string)(await server.Api.Spawn(threadKey))["runtime_id"]!);
    }

    /// <summary>Other tests of this class share the server, and may raise it meanwhile.</summary>
    long Alerted() => server.Services.GetRequiredService<Alerts>().Count.Samples.Single(sample => sample.Value == Alerts.SandboxRefused).Count;
}
