using System.Net;
using System.Text.Json.Nodes;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Threads;

public sealed class MessageTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task A_message_is_stored_once_and_a_repeat_says_so()
    {
        var body = Message(await Thread(), "m-1", "hello");
        var first = await server.Api.PostOk("/agent/message", body);
        ((string)first["stored_event_id"]!).ShouldBe($"{body["thread_key"]}:m-1");
        first.AsObject().ContainsKey("idempotent").ShouldBeFalse();
        var again = await server.Api.PostOk("/agent/message", body.DeepClone());
        again["idempotent"]!.GetValue<bool>().ShouldBeTrue();
        (await Page((string)body["thread_key"]!)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task F24_A_message_id_with_another_payload_is_409()
    {
        var threadKey = await Thread();
        await server.Api.PostOk("/agent/message", Message(threadKey, "m-1", "hello"));
        var (status, json) = await server.Api.Post("/agent/message", Message(threadKey, "m-1", "good bye"));
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("IDEMPOTENCY_PAYLOAD_MISMATCH");
    }

    [Fact]
    public async Task The_same_payload_in_other_words_is_the_same()
    {
        var threadKey = await Thread();
        (await server.Api.PostText("/agent/message", $$$"""{"thread_key":"{{{threadKey}}}","assignment_generation":1,"message_id":"m","parts":[{"type":"text","text":"ü"}],"metadata":{"a":1,"b":2.0}}""")).Status.ShouldBe(HttpStatusCode.OK);
        var (status, json) = await server.Api.PostText(
            "/agent/message", $$$"""{ "metadata": {"b":2.00,"a":1}, "parts":[{"text":"\u00fc","type":"text"}], "message_id":"m", "assignment_generation":1, "thread_key":"{{{threadKey}}}"}""");
        status.ShouldBe(HttpStatusCode.OK, json?.ToJsonString());
        json!["idempotent"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Messages_need_an_active_assignment_of_their_generation()
    {
        var (status, json) = await server.Api.Post("/agent/message", Message(Http.NewThread(), "m", "hello"));
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("NO_ACTIVE_ASSIGNMENT");
        var stale = Message(await Thread(), "m", "hello");
        stale["assignment_generation"] = 7;
        (status, json) = await server.Api.Post("/agent/message", stale);
        status.ShouldBe(HttpStatusCode.Conflict);
        json.Code().ShouldBe("ASSIGNMENT_GENERATION_STALE");
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"parts":[]}""")]
    [InlineData("""{"parts":["text"]}""")]
    [InlineData("""{"event":{"type":"user","message":{"role":"user","content":[]}}}""")]
    public async Task A_message_without_content_blocks_is_400(string rest)
    {
        var body = JsonNode.Parse(rest)!;
        body["thread_key"] = await Thread();
        body["assignment_generation"] = 1;
        var (status, json) = await server.Api.Post("/agent/message", body);
        status.ShouldBe(HttpStatusCode.BadRequest);
        json.Code().ShouldBe("INVALID_AMP_EVENT_ENVELOPE");
    }

    [Fact]
    public async Task A_file_in_a_message_becomes_an_attachment()
    {
        var threadKey = await Thread();
        var data = new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, 255, 0 };
        var body = Message(threadKey, "m", "see");
        body["parts"]!.AsArray().Add(new JsonObject
        {
            ["type"] = "image", ["source_path"] = "/tmp/../x/cat.png",
            ["source"] = new JsonObject { ["type"] = "base64", ["media_type"] = "image/png", ["data"] = Convert.ToBase64String(data) },
        });
        var id = (string)(await server.Api.PostOk("/agent/message", body))["attachment_ids"]![0]!;
        id.ShouldMatch("^att-[0-9a-f]{16}$");

        var part = (await Page(threadKey))[0]!["parts"]![1]!;
        part.ToJsonString().ShouldBe(new JsonObject { ["id"] = id, ["name"] = "cat.png", ["type"] = "attachment_ref", ["mime_type"] = "image/png" }.ToJsonString());
        using var download = await server.Api.GetAsync($"/agent/attachments/{id}/download", TestContext.Current.CancellationToken);
        (await download.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBe(data);
        download.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
        var stored = await server.Services.GetRequiredService<PostgresDatabase>().First(
            $"select event_json::text from agent_message_requests where thread_key = {threadKey}", row => row.GetString(0), TestContext.Current.CancellationToken);
        stored!.ShouldNotContain("base64");
    }

    [Theory]
    [InlineData("image/png", "GIF89a", "image/gif")]
    [InlineData("image/png", "<script>", "application/octet-stream")]
    [InlineData(null, "%PDF-1.7", "application/pdf")]
    public async Task F50_A_file_in_a_message_is_stored_as_what_its_bytes_are(string? claimed, string content, string stored)
    {
        var threadKey = await Thread();
        var body = Message(threadKey, "m", "see");
        body["parts"]!.AsArray().Add(new JsonObject
        {
            ["type"] = "document",
            ["source"] = new JsonObject { ["type"] = "base64", ["media_type"] = claimed, ["data"] = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(content)) },
        });

        await server.Api.PostOk("/agent/message", body);

        ((string)(await Page(threadKey))[0]!["parts"]![1]!["mime_type"]!).ShouldBe(stored);
    }

    [Fact]
    public async Task Broken_base64_is_422_and_stores_nothing()
    {
        var threadKey = await Thread();
        var body = Message(threadKey, "m", "see");
        body["parts"]!.AsArray().Add(JsonNode.Parse("""{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"%%%"}}"""));
        var (status, json) = await server.Api.Post("/agent/message", body);
        status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        json.Code().ShouldBe("INVALID_BASE64_ATTACHMENT");
        (await Page(threadKey)).Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_batch_is_stored_whole_or_not_at_all()
    {
        var threadKey = await Thread();
        var good = new JsonObject
        {
            ["thread_key"] = threadKey, ["assignment_generation"] = 1,
            ["messages"] = new JsonArray(Item("a"), Item("b")),
        };
        var answer = await server.Api.PostOk("/agent/messages", good);
        ((int)answer["inserted"]!).ShouldBe(2);
        answer["message_ids"]!.ToJsonString().ShouldBe("""["a","b"]""");

        var bad = new JsonObject { ["thread_key"] = threadKey, ["assignment_generation"] = 1, ["messages"] = new JsonArray(Item("c"), new JsonObject { ["message_id"] = "d" }) };
        (await server.Api.Post("/agent/messages", bad)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await Page(threadKey)).Count.ShouldBe(2);

        static JsonObject Item(string id) => new() { ["message_id"] = id, ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = id }) };
    }

    [Fact]
    public async Task The_transcript_is_paged_by_cursor()
    {
        var threadKey = await Thread();
        for (var i = 0; i < 5; i++)
            await server.Api.PostOk("/agent/message", Message(threadKey, $"m-{i}", $"text {i}"));
        var seen = new List<string>();
        string? cursor = null;
        bool more;
        do
        {
            var (_, page) = await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}&limit=2{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}");
            seen.AddRange(page!["messages"]!.AsArray().Select(m => (string)m!["parts"]![0]!["text"]!));
            (cursor, more) = ((string?)page["cursor"], page["has_more"]!.GetValue<bool>());
        }
        while (more);
        seen.ShouldBe(["text 0", "text 1", "text 2", "text 3", "text 4"]);
        (await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}&cursor=nonsense")).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Two_messages_whose_thread_and_id_read_the_same_together_are_both_in_their_transcripts()
    {
        var one = await Thread();
        var other = $"{one}:b";
        await server.Api.Spawn(other);

        await server.Api.PostOk("/agent/message", Message(one, "b:c", "of the one"));
        await server.Api.PostOk("/agent/message", Message(other, "c", "of the other"));

        (await Page(one)).Single()!["parts"]![0]!["text"]!.GetValue<string>().ShouldBe("of the one");
        (await Page(other)).Single()!["parts"]![0]!["text"]!.GetValue<string>().ShouldBe("of the other");
    }

    [Fact]
    public async Task The_list_of_threads_shows_the_first_and_the_last_word()
    {
        var threadKey = await Thread();
        await server.Api.PostOk("/agent/message", Message(threadKey, "m-1", "first"));
        await server.Api.PostOk("/agent/message", Message(threadKey, "m-2", "last"));
        var (_, json) = await server.Api.Get("/agent/threads");
        var listed = json!["threads"]!.AsArray().Single(t => (string)t!["slack_thread_key"]! == threadKey)!;
        ((string)listed["first_message"]!).ShouldBe("first");
        ((string)listed["last_user_message"]!).ShouldBe("last");
        ((int)listed["turn_count"]!).ShouldBe(2);
    }

    async Task<string> Thread()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        return threadKey;
    }

    async Task<JsonArray> Page(string threadKey) =>
        (await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(threadKey)}")).Json!["messages"]!.AsArray();

    static JsonObject Message(string threadKey, string id, string text) => new()
    {
        ["thread_key"] = threadKey, ["assignment_generation"] = 1, ["message_id"] = id,
        ["parts"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }),
    };
}
