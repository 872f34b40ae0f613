using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Secrets;

public sealed class ModelListTests(PostgresServer postgres)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_harness_is_usable_once_one_of_its_keys_is_set_and_only_names_are_told()
    {
        await using var server = new ServerFixture(postgres);
        await server.Start(Cancel);
        var (_, before) = await server.Api.Get("/admin/models");
        before!.ToJsonString().ShouldBe(
            """{"default_harness":"codex","harnesses":[{"harness":"codex","usable":false,"keys":["OPENAI_API_KEY"]},{"harness":"built-in","usable":false,"keys":["ANTHROPIC_API_KEY","OPENAI_API_KEY"]}]}""");

        await server.Api.Send(HttpMethod.Put, "/admin/secrets/ANTHROPIC_API_KEY", new JsonObject());

        var (_, after) = await server.Api.Get("/admin/models");
        Usable(after, "built-in").ShouldBeTrue();
        Usable(after, "codex").ShouldBeFalse();
    }

    [Fact]
    public async Task A_model_of_ones_own_that_wants_no_key_is_usable_from_the_start()
    {
        await using var server = new ServerFixture(postgres) { Yaml = "harness: {default: built-in}\nmodel: {built-in: {api: chat_completions, base_url: \"https://models.internal/v1\", key: none}}\n" };
        await server.Start(Cancel);
        var (_, models) = await server.Api.Get("/admin/models");
        ((string)models!["default_harness"]!).ShouldBe("built-in");
        Usable(models, "built-in").ShouldBeTrue();
        models["harnesses"]!.AsArray().Single(h => (string)h!["harness"]! == "built-in")!["keys"]!.AsArray().ShouldBeEmpty();
    }

    static bool Usable(JsonNode? models, string harness) =>
        (bool)models!["harnesses"]!.AsArray().Single(h => (string)h!["harness"]! == harness)!["usable"]!;
}
