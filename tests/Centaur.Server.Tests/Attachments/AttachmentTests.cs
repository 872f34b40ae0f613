using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Attachments;

public sealed class AttachmentTests(ServerFixture server) : IClassFixture<ServerFixture>
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
}
