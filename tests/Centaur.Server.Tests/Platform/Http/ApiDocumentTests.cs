using System.Text.Json.Nodes;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Platform.Http;

public sealed class ApiDocumentTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_OpenAPI_document_says_how_to_authenticate_what_may_be_left_out_and_cites_nothing_internal()
    {
        var text = await server.Client().GetStringAsync("/openapi.json", Cancel);
        text.ShouldNotContain("§");
        var document = JsonNode.Parse(text)!;
        ((string)document["info"]!["title"]!).ShouldBe("Centaur");
        ((string)document["components"]!["securitySchemes"]!["api_key"]!["name"]!).ShouldBe("X-Api-Key");
        Required("SpawnBody").ShouldBe(["thread_key"]);
        Required("ExecuteBody").ShouldBe(["thread_key"]);
        Required("CreateApiKey").ShouldBe(["name"]);
        Required("ExecutionView").ShouldContain("result_text");

        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            foreach (var (_, operation) in methods!.AsObject())
            {
                // Slack shows a signature instead of a key, and is answered 401 where it is wrong.
                var isSlack = path is "/api/webhooks/slack" or "/api/slack/events";
                var isOpen = isSlack || path is "/health" or "/health/ready";
                (operation!["security"] is null).ShouldBe(isOpen, path);
                (operation["responses"]!["401"] is null).ShouldBe(isOpen && !isSlack, path);
                (operation["responses"]!["403"] is null).ShouldBe(isOpen, path);
                foreach (var name in path.Split('/').Where(part => part.StartsWith('{')).Select(part => part.Trim('{', '}')))
                    operation["parameters"]!.AsArray().Count(p => (string)p!["name"]! == name && (string)p["in"]! == "path").ShouldBe(1, path);
            }
        }

        var stream = document["paths"]!["/agent/threads/{thread_key}/events"]!["get"]!;
        stream["parameters"]!.AsArray().Select(p => (string)p!["name"]!).ShouldBe(["thread_key", "after_event_id", "execution_id", "live", "poll_ms", "Last-Event-ID"]);
        ((string)stream["description"]!).ShouldEndWith("Scope: agent:execute.");

        string[] Required(string schema) => document["components"]!["schemas"]![schema]!["required"]!.AsArray().Select(name => (string)name!).ToArray();
    }

    [Fact]
    public async Task Every_route_is_in_the_OpenAPI_snapshot()
    {
        var document = JsonNode.Parse(await server.Client().GetStringAsync("/openapi.json", Cancel))!;
        var routes = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(method => $"{method.Key.ToUpperInvariant()} {path.Key}: {method.Value!["summary"]}"))
            .Order(StringComparer.Ordinal);
        string.Join('\n', routes).ShouldBe((await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Snapshots", "routes.txt"), Cancel)).TrimEnd());
    }

    [Theory]
    [InlineData("/agent/messages", "thread_key")]
    [InlineData("/agent/attachments", "thread_key")]
    [InlineData("/agent/threads/detail", "key")]
    [InlineData("/agent/status", "key")]
    [InlineData("/agent/runtime", "key")]
    public async Task A_parameter_that_the_route_refuses_to_miss_is_required(string path, string name)
    {
        var (status, _) = await server.Api.Get(path);
        status.ShouldBe(System.Net.HttpStatusCode.UnprocessableEntity);

        var operation = (await Paths())[path]!["get"]!;

        ((bool?)operation["parameters"]!.AsArray().Single(p => (string)p!["name"]! == name)!["required"]).ShouldBe(true);
        Bodies(operation, "422").ShouldBe(["InvalidBody"]);
    }

    [Theory]
    [InlineData("get", "/agent/threads", "422", "InvalidBody")]
    [InlineData("get", "/agent/threads/{thread_key}/executions", "422", "InvalidBody")]
    [InlineData("post", "/admin/api-keys", "422", "InvalidBody")]
    [InlineData("post", "/agent/final-deliveries/{execution_id}/delivered", "422", "InvalidBody")]
    [InlineData("post", "/agent/execute", "400", "DetailBody")]
    [InlineData("post", "/agent/message", "400", "DetailBody ControlBody")]
    [InlineData("post", "/agent/messages", "400", "DetailBody ControlBody")]
    [InlineData("post", "/agent/executions/{execution_id}/steer", "400", "DetailBody")]
    [InlineData("post", "/agent/execute", "422", "InvalidBody ControlBody")]
    [InlineData("post", "/agent/spawn", "422", "InvalidBody ControlBody")]
    [InlineData("get", "/agent/status", "200", "StatusResponse NoRuntimeResponse")]
    public async Task What_a_route_answers_is_declared_with_its_bodies(string method, string path, string status, string bodies) =>
        Bodies((await Paths())[path]![method]!, status).ShouldBe(bodies.Split(' '));

    [Fact]
    public async Task Steering_that_became_a_cancel_is_in_its_answer()
    {
        var document = JsonNode.Parse(await server.Client().GetStringAsync("/openapi.json", Cancel))!;

        document["components"]!["schemas"]!["SteerResponse"]!["properties"]!["idempotent"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Every_schema_that_is_referred_to_is_there()
    {
        var text = await server.Client().GetStringAsync("/openapi.json", Cancel);
        var schemas = JsonNode.Parse(text)!["components"]!["schemas"]!.AsObject();

        foreach (var reference in text.Split("\"$ref\": \"").Skip(1).Select(rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]).Distinct())
        {
            reference.ShouldStartWith("#/components/schemas/");
            schemas.ContainsKey(reference["#/components/schemas/".Length..].Split('/')[0]).ShouldBeTrue(reference);
        }
    }

    [Fact]
    public async Task A_route_of_another_listener_says_so()
    {
        var paths = await Paths();
        foreach (var (path, methods) in paths)
        {
            var isElsewhere = path is "/api/webhooks/slack" or "/api/slack/events";
            foreach (var (_, operation) in methods!.AsObject())
                (((string?)operation!["description"])?.Contains("listen.public", StringComparison.Ordinal) == true).ShouldBe(isElsewhere, path);
        }
    }

    async Task<JsonObject> Paths() => JsonNode.Parse(await server.Client().GetStringAsync("/openapi.json", Cancel))!["paths"]!.AsObject();

    /// <summary>The names of the schemas that an answer may have.</summary>
    static string[] Bodies(JsonNode operation, string status)
    {
        var schema = operation["responses"]![status]!["content"]!["application/json"]!["schema"]!;
        return (schema["oneOf"]?.AsArray() ?? [schema.DeepClone()]).Select(one => ((string)one!["$ref"]!).Split('/')[^1]).ToArray();
    }
}
