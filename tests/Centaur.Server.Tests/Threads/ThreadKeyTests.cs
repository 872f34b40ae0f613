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

    [Theory]
    [InlineData("x'; drop table chat_messages; --")]
    [InlineData("' or '1'='1")]
    [InlineData("$1); delete from sandboxes; --")]
    [InlineData("\\'; select pg_sleep(10); --")]
    public async Task F25_SQL_in_an_id_a_label_a_title_or_a_filter_is_text(string sql)
    {
        var thread = Http.NewThread();
        await server.Api.Queue(thread);
        var (key, escaped) = (Uri.EscapeDataString(thread), Uri.EscapeDataString(sql));
        foreach (var path in (string[])
        [
            $"/agent/messages?thread_key={key}&cursor={escaped}", $"/agent/messages?thread_key={key}&limit={escaped}", $"/agent/threads?limit={escaped}", $"/agent/threads?cursor={escaped}",
            $"/agent/threads/{key}/events?execution_id={escaped}", $"/agent/threads/{key}/executions?limit={escaped}", $"/agent/executions/{escaped}", $"/agent/attachments/{escaped}/download",
            $"/agent/status?key={escaped}", $"/agent/threads/detail?key={escaped}", $"/agent/runtime?key={escaped}",
        ])
            ((int)(await server.Api.Get(path)).Status).ShouldBeLessThan(500, path);
        ((int)(await server.Api.Send(HttpMethod.Delete, $"/admin/api-keys/{escaped}")).Status).ShouldBeInRange(400, 499);
        ((int)(await server.Api.Send(HttpMethod.Delete, $"/admin/secrets/{escaped}")).Status).ShouldBeInRange(400, 499);
        ((string)(await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = sql, ["scopes"] = new JsonArray("agent:status") }))["name"]!).ShouldBe(sql);
        await server.Api.PostOk("/agent/message", new JsonObject
        {
            ["thread_key"] = thread, ["assignment_generation"] = 1, ["message_id"] = sql, ["user_id"] = sql, ["metadata"] = new JsonObject { [sql] = sql },
            ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = sql }),
        });

        var messages = (await server.Api.Get($"/agent/messages?thread_key={key}")).Json!["messages"]!.AsArray();
        ((string)messages[^1]!["parts"]![0]!["text"]!).ShouldBe(sql);
        ((string)messages[^1]!["metadata"]![sql]!).ShouldBe(sql);
        ((string)(await server.Api.Get($"/agent/status?key={key}")).Json!["status"]!).ShouldNotBe("not_found");
    }

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
