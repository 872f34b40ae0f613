using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Threads;

/// <summary>Keys of threads in paths and queries; those in bodies are tried with the spawn.</summary>
public sealed class ThreadKeyTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    public static TheoryData<string> Queries =>
    [
        "/agent/messages?thread_key=", "/agent/attachments?thread_key=", "/agent/status?key=", "/agent/runtime?key=", "/agent/threads/detail?key=",
    ];

    static readonly string[] Bad = ["a%00b", "..", "a%2F..%2Fb", "a%0Ab", new string('x', 4096), "a%E2%80%8Bb", "%E2%80%AEgpj"];

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task F25_A_bad_thread_key_in_a_query_is_400(string path)
    {
        foreach (var key in Bad)
            (await server.Api.Get(path + key)).Status.ShouldBe(HttpStatusCode.BadRequest, key);
    }

    [Theory]
    [InlineData("GET", "executions")]
    [InlineData("GET", "events")]
    [InlineData("POST", "release")]
    public async Task F25_A_bad_thread_key_in_a_path_is_refused(string method, string route)
    {
        foreach (var key in Bad)
        {
            var status = (await server.Api.Send(new HttpMethod(method), $"/agent/threads/{key}/{route}", method == "POST" ? new JsonObject() : null)).Status;
            // What the client itself resolves (..) is another path.
            status.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.NotFound);
            if (key != "..")
                status.ShouldBe(HttpStatusCode.BadRequest, key);
        }
    }

    [Theory]
    [InlineData("/agent/messages?thread_key=a&cursor=a%00b")]
    [InlineData("/agent/threads/a/events?execution_id=a%00b")]
    public async Task F25_A_NUL_in_any_other_parameter_is_400(string path) => (await server.Api.Get(path)).Status.ShouldBe(HttpStatusCode.BadRequest);

    [Fact]
    public async Task F25_A_key_that_looks_like_another_is_another_threads()
    {
        var latin = "slack:" + Http.NewThread();
        var cyrillic = "sl\u0430ck:" + latin["slack:".Length..];
        var spawned = await server.Api.Spawn(latin);
        using var sandbox = server.Sandbox(await server.Services.GetRequiredService<SandboxTokens>().Mint(latin, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken));

        (await sandbox.Get($"/agent/messages?thread_key={Uri.EscapeDataString(cyrillic)}")).Status.ShouldBe(HttpStatusCode.Forbidden);
        ((string)(await server.Api.Get($"/agent/status?key={Uri.EscapeDataString(cyrillic)}")).Json!["status"]!).ShouldBe("not_found");
    }

    [Theory]
    [InlineData("/agent/messages?thread_key=t")]
    [InlineData("/agent/attachments?thread_key=t")]
    [InlineData("/agent/attachments/att-0000000000000000/download")]
    [InlineData("/agent/workspaces/t/bundle")]
    [InlineData("/agent/threads/detail?key=t")]
    [InlineData("/agent/status?key=t")]
    public async Task A_key_that_may_only_call_a_tool_reads_no_thread(string path)
    {
        var key = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "tool", ["scopes"] = new JsonArray("tools:websearch") });

        (await server.Client((string)key["key"]!).Get(path)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }
}
