using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Secrets;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Secrets.Transforms;

/// <summary>Secrets that only the proxy uses.</summary>
public sealed class UnseenSecretTests(PostgresServer postgres)
{
    const string Yaml = "egress: {inject: [{source: ACME_KEY, header: X-Key, rules: [{host: api.acme.example}]}]}\n";

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_proxy_is_granted_the_value_and_the_sandbox_not_even_a_placeholder()
    {
        await using var server = new ServerFixture(postgres) { Yaml = Yaml };
        await server.Start(Cancel);
        await server.Api.Send(HttpMethod.Put, "/admin/secrets/OPENAI_API_KEY", new JsonObject());
        (await server.Api.Send(HttpMethod.Put, "/admin/secrets/ACME_KEY", new JsonObject())).Status.ShouldBe(HttpStatusCode.OK);
        var sandbox = (string)(await server.Api.Spawn(Http.NewThread()))["runtime_id"]!;
        var model = server.Services.GetRequiredService<ModelOptions>().Candidates("codex")[0];

        var grant = await server.Services.GetRequiredService<SandboxGrants>().Prepare(new PolicySubject(sandbox, 1, "t", "turn", null), model, Cancel);

        grant.Grant.Secrets.Select(secret => secret.Name).ShouldBe(["ACME_KEY", "OPENAI_API_KEY"], ignoreOrder: true);
        grant.Environment.Keys.ShouldBe(["OPENAI_API_KEY"]);
        grant.Policy.Secrets.Select(secret => secret.Name).ShouldBe(["OPENAI_API_KEY"]);
        grant.Policy.Transforms.Single().Uses.Single().Name.ShouldBe("ACME_KEY");
    }

    [Fact]
    public async Task A_secret_cannot_be_bound_to_a_host_that_nobody_looks_into()
    {
        await using var server = new ServerFixture(postgres) { Yaml = "egress: {passthrough: ['*.vendor.example']}\n" };
        await server.Start(Cancel);

        var (status, body) = await server.Api.Send(HttpMethod.Put, "/admin/secrets/MY_TOKEN", JsonNode.Parse("""{"bindings":[{"hosts":["api.vendor.example"],"headers":["Authorization"]}]}"""));

        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)body!["detail"]![0]!["msg"]!).ShouldContain("api.vendor.example is in egress.passthrough and never looked into");
    }

    [Fact]
    public async Task A_secret_that_nothing_of_the_configuration_names_still_needs_its_hosts()
    {
        await using var server = new ServerFixture(postgres) { Yaml = Yaml };
        await server.Start(Cancel);

        var (status, answer) = await server.Api.Send(HttpMethod.Put, "/admin/secrets/OTHER_KEY", new JsonObject());

        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)answer!["detail"]![0]!["msg"]!).ShouldContain("Say where OTHER_KEY may go");
    }
}
