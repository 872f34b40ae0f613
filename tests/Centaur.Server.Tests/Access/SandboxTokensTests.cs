using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Access;

public sealed class SandboxTokensTests(ServerFixture server) : IClassFixture<ServerFixture>
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
        (await server.Sandbox(token).Send(new HttpMethod(method), path)).Status.ShouldBe(HttpStatusCode.NotFound);
        (await server.Sandbox(server.Api.DefaultRequestHeaders.Authorization!.Parameter).Send(new HttpMethod(method), path)).Status.ShouldBe(HttpStatusCode.NotFound);
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
    public void A_token_is_never_made_for_no_thread() =>
        Should.Throw<ArgumentException>(() => Tokens.Mint("", "sbx-1", 1));

    PostgresDatabase Database => server.Services.GetRequiredService<PostgresDatabase>();

    SandboxTokens Tokens => server.Services.GetRequiredService<SandboxTokens>();

    async Task<HttpStatusCode> Read(string threadKey, string token) =>
        (await server.Sandbox(token).Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}")).Status;

    async Task<(string ThreadKey, string Token)> Claimed()
    {
        var threadKey = Http.NewThread();
        var spawned = await server.Api.Spawn(threadKey);
        return (threadKey, Tokens.Mint(threadKey, (string)spawned["runtime_id"]!, (int)spawned["assignment_generation"]!));
    }
}
