using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Secrets;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Secrets;

public sealed class SecretTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_well_known_secret_needs_no_bindings_and_no_value_is_ever_shown()
    {
        var (status, put) = await server.Api.Send(HttpMethod.Put, "/admin/secrets/ANTHROPIC_API_KEY", new JsonObject());
        status.ShouldBe(HttpStatusCode.OK, put?.ToJsonString());
        put!["bindings"]![0]!["hosts"]!.ToJsonString().ShouldBe("""["api.anthropic.com"]""");
        ((string)put["source"]!["type"]!).ShouldBe("file");
        var (_, list) = await server.Api.Get("/admin/secrets");
        list!["secrets"]!.AsArray().ShouldContain(s => (string)s!["name"]! == "ANTHROPIC_API_KEY");
    }

    [Theory]
    [InlineData("MY_TOKEN", """{}""", "Say where MY_TOKEN may go")]
    [InlineData("MY_TOKEN", """{"value":"hunter2"}""", "Values never pass through the server")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["*"],"headers":["Authorization"]}]}""", "a lone *")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a.example"]}]}""", "must name a place")]
    [InlineData("MY_TOKEN", """{"source":{"type":"shell"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "is not a source")]
    [InlineData("MY_TOKEN", """{"source":{"type":"vault_kv","reference":"secret"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "vault_kv:secret/apps/billing#token")]
    [InlineData("MY_TOKEN", """{"source":{"type":"vault_kv","reference":"secret/../sys#a"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "is no place in Vault")]
    [InlineData("MY_TOKEN", """{"source":{"type":"1password","reference":"Production/Billing"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "1password:op://Production/Billing/token")]
    [InlineData("MY_TOKEN", """{"source":{"type":"kubernetes","reference":"../key"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "kubernetes:billing-token")]
    [InlineData("MY_TOKEN", """{"source":{"type":"env","reference":"VAULT_TOKEN"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "can never be granted")]
    [InlineData("VAULT_TOKEN", """{"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "can never be granted")]
    [InlineData("DATABASE_URL", """{"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "can never be granted")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["https://a.example/x"],"headers":["X"]}]}""", "is not a host name")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a b"],"headers":["X"]}]}""", "is not a host name")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a.example\r\nevil"],"headers":["X"]}]}""", "is not a host name")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a.example:443"],"headers":["X"]}]}""", "is not a host name")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":[""],"headers":["X"]}]}""", "is not a host name")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["*.com"],"headers":["X"]}]}""", "below a top-level domain")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a.example"],"headers":["X Key"]}]}""", "is not the name of a header")]
    [InlineData("MY_TOKEN", """{"bindings":[{"hosts":["a.example"],"headers":["X:\r\nY"]}]}""", "is not the name of a header")]
    [InlineData("my-token", """{"bindings":[{"hosts":["a.example"],"headers":["X"]}]}""", "A secret's name")]
    public async Task What_would_leak_or_do_nothing_is_refused(string name, string body, string why)
    {
        var (status, json) = await server.Api.Send(HttpMethod.Put, $"/admin/secrets/{name}", JsonNode.Parse(body));
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        ((string)json!["detail"]![0]!["msg"]!).ShouldContain(why);
        json.ToJsonString().ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("api.example.com", "X-Acme-Key")]
    [InlineData("*.Example.com", "Authorization")]
    [InlineData("models", "/^x-.*$/")]
    [InlineData("127.0.0.1", "x")]
    public async Task Every_host_and_header_that_a_request_can_have_is_taken(string host, string header)
    {
        var (status, json) = await server.Api.Send(
            HttpMethod.Put, "/admin/secrets/MY_TOKEN",
            new JsonObject { ["bindings"] = new JsonArray(new JsonObject { ["hosts"] = new JsonArray(host), ["headers"] = new JsonArray(header) }) });
        status.ShouldBe(HttpStatusCode.OK, json?.ToJsonString());
    }

    [Fact]
    public async Task A_secret_names_its_source_and_is_granted_from_there()
    {
        var (status, put) = await server.Api.Send(
            HttpMethod.Put, "/admin/secrets/VAULTED_KEY",
            JsonNode.Parse("""{"source":{"type":"vault_kv","reference":"secret/apps","json_key":"token"},"bindings":[{"hosts":["a.example"],"headers":["X"]}]}"""));
        status.ShouldBe(HttpStatusCode.OK, put?.ToJsonString());
        var known = (await server.Services.GetRequiredService<SecretStore>().Find(["VAULTED_KEY"], TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
        known.Source.ShouldBe(new Centaur.Protocol.Broker.SecretSource("vault_kv", "secret/apps", "token"));
    }

    [Fact]
    public async Task A_forgotten_secret_is_gone()
    {
        await server.Api.Send(HttpMethod.Put, "/admin/secrets/XAI_API_KEY", new JsonObject());
        (await server.Api.Send(HttpMethod.Delete, "/admin/secrets/XAI_API_KEY")).Status.ShouldBe(HttpStatusCode.OK);
        (await server.Api.Send(HttpMethod.Delete, "/admin/secrets/XAI_API_KEY")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_placeholder_is_random_per_sandbox_and_the_same_ever_after()
    {
        var cancel = TestContext.Current.CancellationToken;
        await server.Api.Send(HttpMethod.Put, "/admin/secrets/OPENAI_API_KEY", new JsonObject());
        var (one, two) = (await Sandbox(), await Sandbox());
        var grants = server.Services.GetRequiredService<SandboxGrants>();
        var model = server.Services.GetRequiredService<ModelOptions>().Candidates("codex")[0];
        var first = await grants.Prepare(new PolicySubject(one, 1, "t", "turn", null), model, cancel);
        var again = await grants.Prepare(new PolicySubject(one, 2, "t", "turn", null), model, cancel);
        var other = await grants.Prepare(new PolicySubject(two, 1, "t", "turn", null), model, cancel);

        var placeholder = first.Environment["OPENAI_API_KEY"];
        placeholder.ShouldMatch("^cph_openai_api_key_[0-9a-f]{32}$");
        again.Environment["OPENAI_API_KEY"].ShouldBe(placeholder);
        other.Environment["OPENAI_API_KEY"].ShouldNotBe(placeholder);
        first.Policy.Secrets.Single().Placeholder.ShouldBe(placeholder);
        first.Grant.Secrets.Single().Name.ShouldBe("OPENAI_API_KEY");
        first.Grant.Ticket.ShouldBe(again.Grant.Ticket);
        first.Grant.Ticket.ShouldNotBe(other.Grant.Ticket);
    }

    async Task<string> Sandbox() => (string)(await server.Api.Spawn(Http.NewThread()))["runtime_id"]!;
}
