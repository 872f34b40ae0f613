using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Access;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Attachments;

public sealed class AttachmentTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_file_is_listed_with_its_thread_and_downloaded_as_a_file_that_no_browser_opens()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var page = "<script>alert(1)</script>"u8.ToArray();
        var id = (string)(await server.Api.PostOk("/agent/message", new JsonObject
        {
            ["thread_key"] = threadKey,
            ["assignment_generation"] = 1,
            ["parts"] = new JsonArray(new JsonObject
            {
                ["type"] = "document",
                ["source_path"] = "/tmp/page.html",
                ["source"] = new JsonObject { ["type"] = "base64", ["media_type"] = "text/html", ["data"] = Convert.ToBase64String(page) },
            }),
        }))["attachment_ids"]![0]!;

        var (_, listed) = await server.Api.Get($"/agent/attachments?thread_key={Uri.EscapeDataString(threadKey)}");
        using var download = await server.Api.GetAsync($"/agent/attachments/{id}/download", TestContext.Current.CancellationToken);

        listed!.AsArray().ShouldHaveSingleItem()!["name"]!.GetValue<string>().ShouldBe("page.html");
        (await download.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(page);
        download.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        download.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
    }

    [Fact]
    public async Task An_unknown_attachment_is_404()
    {
        var (status, json) = await server.Api.Get("/agent/attachments/att-0000000000000000/download");

        status.ShouldBe(HttpStatusCode.NotFound);
        ((string)json!["detail"]!).ShouldBe("Attachment not found");
    }

    [Fact]
    public async Task An_uploaded_file_is_downloaded_whole_piece_by_piece()
    {
        var threadKey = Http.NewThread();
        var data = new byte[(3 << 20) + 7];
        new Random(1).NextBytes(data);
        const string name = "chart.png";
        new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A }.CopyTo(data, 0);

        var uploaded = await server.Api.PostOk("/agent/attachments/upload", Upload(threadKey, data, "../" + name, "image/png"));
        using var download = await server.Api.GetAsync((string)uploaded["download_url"]!, TestContext.Current.CancellationToken);

        ((string)uploaded["id"]!).ShouldMatch("^att-[0-9a-f]{16}$");
        ((string)uploaded["name"]!).ShouldBe(name);
        (await download.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(data);
        download.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
        download.Content.Headers.ContentDisposition!.FileName.ShouldBe(name);
        download.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
    }

    [Theory]
    [InlineData("image/png", "<html>", "application/octet-stream")]
    [InlineData("text/plain", "%PDF-1.7 and so on", "application/pdf")]
    [InlineData("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\u0003\u0004word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    [InlineData("text/csv; charset=utf-8", "a,b", "text/csv; charset=utf-8")]
    [InlineData("nonsense", "a,b", "application/octet-stream")]
    [InlineData("text/html\r\nX-Evil: 1", "a", "application/octet-stream")]
    public async Task F50_A_type_is_stored_only_where_the_bytes_bear_it_out(string claimed, string content, string stored)
    {
        var uploaded = await server.Api.PostOk("/agent/attachments/upload", Upload(Http.NewThread(), System.Text.Encoding.ASCII.GetBytes(content), "file", claimed));

        ((string)uploaded["mime_type"]!).ShouldBe(stored);
    }

    [Theory]
    [InlineData("C:\\temp\\report.pdf", "report.pdf")]
    [InlineData("/etc/passwd", "passwd")]
    [InlineData("naïve résumé.txt", "naïve résumé.txt")]
    [InlineData("..", null)]
    [InlineData("folder/", null)]
    [InlineData("a\u0001b", null)]
    [InlineData("gpj.\u202Eexe", null)]
    [InlineData("file.txt:stream", null)]
    public async Task F49_A_name_is_the_last_part_of_its_path_or_refused(string given, string? stored)
    {
        var (status, json) = await server.Api.Post("/agent/attachments/upload", Upload(Http.NewThread(), [1], given, "text/plain"));

        status.ShouldBe(stored is null ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.OK);
        if (stored is not null)
            ((string)json!["name"]!).ShouldBe(stored);
    }

    [Fact]
    public async Task F49_A_name_of_65_thousand_characters_is_refused() =>
        (await server.Api.Post("/agent/attachments/upload", Upload(Http.NewThread(), [1], new string('n', 65_000), "text/plain"))).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);

    [Theory]
    [InlineData("name")]
    [InlineData("mime_type")]
    [InlineData("data")]
    [InlineData("thread_key")]
    public async Task A_missing_field_is_422(string field)
    {
        var body = Upload(Http.NewThread(), [1], "file", "text/plain");
        body.Remove(field);
        (await server.Api.Post("/agent/attachments/upload", body)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Data_that_is_not_base64_is_422()
    {
        var body = Upload(Http.NewThread(), [1], "file", "text/plain");
        body["data"] = "not base64!";
        (await server.Api.Post("/agent/attachments/upload", body)).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task F50_A_file_beyond_the_cap_is_413()
    {
        await using var own = new ServerFixture(postgres) { Yaml = "attachments: {max_bytes: 1024}\n" };
        await own.Start(TestContext.Current.CancellationToken);

        (await own.Api.Post("/agent/attachments/upload", Upload(Http.NewThread(), new byte[1024], "file", "text/plain"))).Status.ShouldBe(HttpStatusCode.OK);
        (await own.Api.Post("/agent/attachments/upload", Upload(Http.NewThread(), new byte[1025], "file", "text/plain"))).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task F27_A_sandbox_uploads_to_its_own_thread_alone()
    {
        var (threadKey, other) = (Http.NewThread(), Http.NewThread());
        var spawned = await server.Api.Spawn(threadKey);
        using var sandbox = server.Sandbox(await server.Services.GetRequiredService<SandboxTokens>().Mint(threadKey, (string)spawned["runtime_id"]!, 1, TestContext.Current.CancellationToken));
        var foreign = await server.Api.PostOk("/agent/attachments/upload", Upload(other, [1], "file", "text/plain"));

        var own = await sandbox.PostOk("/agent/attachments/upload", Upload(threadKey, [1], "file", "text/plain"));

        (await sandbox.GetByteArrayAsync((string)own["download_url"]!, TestContext.Current.CancellationToken)).ShouldBe([1]);
        (await sandbox.Post("/agent/attachments/upload", Upload(other, [1], "file", "text/plain"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await sandbox.Get((string)foreign["download_url"]!)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    static JsonObject Upload(string threadKey, byte[] data, string name, string type) =>
        new() { ["thread_key"] = threadKey, ["name"] = name, ["mime_type"] = type, ["data"] = Convert.ToBase64String(data) };
}
