using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Secrets.Hosts;

public sealed class WarningsEndpointTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_too_wide_is_said_with_the_secrets_as_they_are_bound_now()
    {
        await using var server = new ServerFixture(postgres) { Yaml = "egress: {lists: [{name: acme, hosts: [api.acme.example, cdn.acme.example]}], allow: [acme, '*.pages.dev'], secrets: [ACME_TOKEN]}\n" };
        await server.Start(Cancel);
        (await Places(server)).ShouldBe(["egress.allow, allow:*.pages.dev"]);

        await server.Api.Send(HttpMethod.Put, "/admin/secrets/ACME_TOKEN", JsonNode.Parse("""{"bindings":[{"hosts":["api.acme.example"],"headers":["Authorization"]}]}"""));

        (await Places(server)).ShouldBe(["egress.allow, allow:*.pages.dev", "egress.allow, list:acme"]);
    }

    static async Task<List<string>> Places(ServerFixture server)
    {
        var (status, answer) = await server.Api.Get("/admin/egress/warnings");
        status.ShouldBe(HttpStatusCode.OK);
        answer!["warnings"]!.AsArray().ShouldAllBe(warning => ((string)warning!["meaning"]!).Length > 0 && ((string)warning["remedy"]!).Length > 0);
        return [.. answer["warnings"]!.AsArray().Select(warning => (string)warning!["place"]!)];
    }
}
