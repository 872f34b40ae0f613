using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Secrets;

public sealed class RuntimeCredentialTests(PostgresServer postgres)
{
    [Fact]
    public async Task Each_harness_says_whether_its_model_key_has_a_name_here()
    {
        await using var server = new ServerFixture(postgres);
        await server.Start(TestContext.Current.CancellationToken);
        var (_, before) = await server.Api.Get("/health/runtime-credentials");
        ((string)before!["status"]!).ShouldBe("degraded");

        await server.Api.Send(HttpMethod.Put, "/admin/secrets/OPENAI_API_KEY", new JsonObject());
        var (status, after) = await server.Api.Get("/health/runtime-credentials?refresh=true");

        status.ShouldBe(HttpStatusCode.OK);
        after!["harnesses"]!.AsArray().Single(h => (string)h!["harness"]! == "codex")!.ToJsonString().ShouldBe(
            """{"harness":"codex","configured":true,"candidates":[{"key":"OPENAI_API_KEY","configured":true,"host":"api.openai.com"}]}""");
        (await server.Client().Get("/health/runtime-credentials")).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
