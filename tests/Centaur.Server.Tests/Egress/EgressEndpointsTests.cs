using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Server.Egress;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Egress;

/// <summary>Who may read which records, and how they are paged.</summary>
public sealed class EgressEndpointsTests(QuietServer quiet) : IClassFixture<QuietServer>
{
    readonly ServerFixture server = quiet.Fixture;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thread_is_read_page_by_page_from_its_beginning_and_without_a_cursor_from_its_end()
    {
        var file = await Shipped(new AuditFileOf(server).Requests(5));
        await Shipped(new AuditFileOf(server).Requests(2));

        var seen = new List<JsonNode>();
        long after = 0;
        while ((await Read(file.Thread, $"?after={after}&limit=3"))["records"]!.AsArray() is { Count: > 0 } records)
        {
            seen.AddRange(records!);
            after = (long)records[^1]!["record_id"]!;
        }

        seen.Select(r => (long)r["line"]!).ShouldBe(Enumerable.Range(1, 10).Select(n => (long)n));
        seen.ShouldAllBe(r => (string)r["record"]!["thread"]! == file.Thread && (string)r["sandbox_id"]! == file.SandboxId);
        ((long)(await Read(file.Thread, $"?after={after}"))["cursor"]!).ShouldBe(after);
        (await Read(file.Thread, "?limit=2"))["records"]!.AsArray().Select(r => (long)r!["line"]!).ShouldBe([9L, 10L]);
    }

    [Fact]
    public async Task A_record_is_read_with_the_others_of_its_request()
    {
        var file = await Shipped(new AuditFileOf(server).Requests(2));
        var second = (await Read(file.Thread, "?after=0"))["records"]![2]!;

        var (status, json) = await server.Api.Get($"/admin/egress/{second["record_id"]}");

        status.ShouldBe(HttpStatusCode.OK);
        json!["records"]!.AsArray().Select(r => (long)r!["line"]!).ShouldBe([3L, 4L]);
        (await server.Api.Get("/admin/egress/999999999")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Reading_a_thread_wants_the_scope_of_reading_threads_and_reading_all_wants_an_operators()
    {
        var file = await Shipped(new AuditFileOf(server).Requests(1));
        var (agent, other, admin) = (await Key("agent:execute"), await Key("agent:status"), await Key("admin"));
        var thread = $"/agent/threads/{Uri.EscapeDataString(file.Thread)}/egress";

        (await agent.Get(thread)).Status.ShouldBe(HttpStatusCode.OK);
        (await other.Get(thread)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await server.Client().Get(thread)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (var route in (string[])["/admin/egress", "/admin/egress/1", "/admin/egress/verify"])
        {
            (await agent.Get(route)).Status.ShouldBe(HttpStatusCode.Forbidden);
            (await admin.Get(route)).Status.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_sandbox_reads_no_records_not_even_its_own()
    {
        var thread = Http.NewThread();
        var spawned = await server.Api.Spawn(thread);
        var token = await server.Services.GetRequiredService<SandboxTokens>().Mint(thread, (string)spawned["runtime_id"]!, 1, Cancellation);

        (await server.Sandbox(token).Get($"/agent/threads/{Uri.EscapeDataString(thread)}/egress")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await server.Sandbox(token).Get("/admin/egress")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_thread_without_records_is_empty_and_one_that_is_not_there_is_404()
    {
        var thread = Http.NewThread();
        await server.Api.Spawn(thread);

        (await Read(thread, ""))["records"]!.AsArray().ShouldBeEmpty();
        (await server.Api.Get("/agent/threads/nobody:1/egress")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("after=-1")]
    [InlineData("after=x")]
    [InlineData("limit=0")]
    [InlineData("limit=501")]
    public async Task What_makes_no_sense_is_refused(string query)
    {
        (await server.Api.Get($"/agent/threads/nobody:1/egress?{query}")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await server.Api.Get($"/admin/egress?{query}")).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    async Task<AuditFileOf> Shipped(AuditFileOf file)
    {
        await server.Services.GetRequiredService<AuditShipping>().Run(Cancellation);
        return file;
    }

    async Task<JsonNode> Read(string thread, string query) => (await server.Api.Get($"/agent/threads/{Uri.EscapeDataString(thread)}/egress{query}")).Json!;

    async Task<HttpClient> Key(string scope) =>
        server.Client((string)(await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "reader", ["scopes"] = new JsonArray(scope) }))["key"]!);
}
