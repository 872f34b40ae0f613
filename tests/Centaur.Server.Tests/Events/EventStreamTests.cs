using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Centaur.Server.Events;
using Centaur.Server.Platform.Database;
using Centaur.Testing.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Events;

public sealed class EventStreamTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_frame_is_exactly_what_the_contract_says()
    {
        var threadKey = Http.NewThread();
        var executionId = await server.Api.Queue(threadKey);
        using var response = await Open(threadKey, "");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancel));
        (await reader.ReadLineAsync(Cancel))!.ShouldMatch("^id: [0-9]+$");
        (await reader.ReadLineAsync(Cancel)).ShouldBe("event: execution_state");
        var data = (await reader.ReadLineAsync(Cancel))!;
        data.ShouldStartWith("data: {");
        data.ShouldNotContain("\": ");
        ((string)JsonNode.Parse(data[6..])!["execution_id"]!).ShouldBe(executionId);
        (await reader.ReadLineAsync(Cancel)).ShouldBe("");
    }

    [Fact]
    public async Task Two_threads_write_and_a_reader_that_reconnects_with_every_cursor_sees_each_event_once_in_order()
    {
        const int Events = 120;
        var (mine, other) = (Http.NewThread(), Http.NewThread());
        await server.Api.Spawn(mine);
        await server.Api.Spawn(other);
        var writing = Task.WhenAll(Write(mine, Events), Write(other, Events));

        // Every connection takes a few events and is cut; the next begins at the last id that was seen.
        var seen = new List<(long Id, int Number)>();
        var connections = 0;
        while (seen.Count < Events)
        {
            using var response = await Open(mine, $"?after_event_id={(seen.Count == 0 ? 0 : seen[^1].Id)}");
            var taken = 0;
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel))
            {
                seen.Add((long.Parse(item.EventId!, System.Globalization.CultureInfo.InvariantCulture), (int)JsonNode.Parse(item.Data)!["n"]!));
                if (seen.Count == Events || ++taken > connections % 7)
                    break;
            }

            connections++;
        }

        await writing;
        seen.Select(s => s.Number).ShouldBe(Enumerable.Range(0, Events));
        seen.Select(s => s.Id).ShouldBeInOrder();
        foreach (var cursor in seen.Select(s => s.Id).Where((_, i) => i % 10 == 0))
            (await ReadAll(mine, cursor, seen.Count(s => s.Id > cursor))).ShouldBe(seen.Where(s => s.Id > cursor).Select(s => s.Number));
    }

    [Fact]
    public async Task An_append_reaches_a_waiting_reader_without_a_poll()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        using var response = await Open(threadKey, "");
        var events = SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel).GetAsyncEnumerator(Cancel);
        var next = events.MoveNextAsync();
        await Write(threadKey, 1);
        // The poll behind the wake-ups comes after fifteen seconds.
        (await next.AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel)).ShouldBeTrue();
        await events.DisposeAsync();
    }

    [Fact]
    public async Task Last_event_id_is_a_cursor_too()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await Write(threadKey, 3);
        var first = (await Ids(threadKey, 3))[0];
        using var request = new HttpRequestMessage(HttpMethod.Get, Path(threadKey, ""));
        request.Headers.Add("Last-Event-ID", first.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var response = await server.Api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel))
        {
            ((int)JsonNode.Parse(item.Data)!["n"]!).ShouldBe(1);
            break;
        }
    }

    [Theory]
    [InlineData("?after_event_id=-1")]
    [InlineData("?after_event_id=abc")]
    [InlineData("?after_event_id=1e3")]
    [InlineData("?after_event_id=99999999999999999999999")]
    [InlineData("?after_event_id=999999999999")]
    [InlineData("?after_event_id=1&after_event_id=2")]
    [InlineData("?live=perhaps")]
    [InlineData("?poll_ms=fast")]
    public async Task F23_A_nonsensical_cursor_is_400_in_plain_words(string query)
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var (status, json) = await server.Api.Get(Path(threadKey, query));
        status.ShouldBe(HttpStatusCode.BadRequest);
        ((string)json!["detail"]!).Length.ShouldBeGreaterThan(20);
    }

    [Fact]
    public async Task F23_A_stale_cursor_replays_the_log_and_one_of_the_future_is_refused_instead_of_swallowing_what_comes()
    {
        var (threadKey, other) = (Http.NewThread(), Http.NewThread());
        await server.Api.Spawn(threadKey);
        await server.Api.Spawn(other);
        await Write(threadKey, 5);
        await Write(other, 5);
        var events = server.Services.GetRequiredService<EventStore>();
        var newest = await events.LastIssued(Cancel);

        (await ReadAll(threadKey, 0, 5)).ShouldBe(Enumerable.Range(0, 5));
        foreach (var future in (long[])[newest + 1_000, long.MaxValue])
        {
            var (status, json) = await server.Api.Get(Path(threadKey, $"?after_event_id={future}"));
            status.ShouldBe(HttpStatusCode.BadRequest);
            ((string)json!["detail"]!).ShouldStartWith("after_event_id is ahead of the event log");
        }

        // An id of another thread's event is a place in this thread's log too.
        var reading = Take(threadKey, newest, 1);
        await Write(threadKey, 1);
        ((int)JsonNode.Parse((await reading)[0].Data)!["n"]!).ShouldBe(0);
    }

    [Fact]
    public void F23_A_live_reader_that_does_not_read_is_kept_a_bounded_number_of_short_deltas()
    {
        var deltas = new LiveDeltas();
        using var sleeper = deltas.Subscribe("thread", null);
        deltas.Publish("thread", null, "amp_raw_event", $$"""{"delta":"{{new string('x', 1_000_000)}}"}""");
        for (var n = 0; n < 10_000; n++)
            deltas.Publish("thread", null, "amp_raw_event", $$"""{"delta":"{{n}}"}""");

        sleeper.Deltas.Reader.Count.ShouldBe(256);
        sleeper.Deltas.Reader.TryRead(out var oldest).ShouldBeTrue();
        oldest!.Json.ShouldBe($$"""{"delta":"{{10_000 - 256}}"}""");
    }

    [Fact]
    public async Task An_unknown_thread_or_execution_is_404()
    {
        (await server.Api.Get(Path(Http.NewThread(), ""))).Status.ShouldBe(HttpStatusCode.NotFound);
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        (await server.Api.Get(Path(threadKey, "?execution_id=exe_unknown"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_stream_of_an_ended_execution_ends()
    {
        var threadKey = Http.NewThread();
        var executionId = await server.Api.Queue(threadKey);
        await server.Api.PostOk($"/agent/executions/{executionId}/cancel", new JsonObject());
        var items = await Frames(threadKey, $"?execution_id={executionId}");
        items.Select(i => (string)JsonNode.Parse(i.Data)!["status"]!).ShouldBe(["queued", "cancelled"]);
    }

    [Fact]
    public async Task A_reader_that_has_everything_gets_one_snapshot()
    {
        var threadKey = Http.NewThread();
        var executionId = await server.Api.Queue(threadKey);
        await server.Api.PostOk($"/agent/executions/{executionId}/cancel", new JsonObject());
        var last = (await Frames(threadKey, $"?execution_id={executionId}"))[^1].EventId;

        var snapshot = (await Frames(threadKey, $"?execution_id={executionId}&after_event_id={last}")).Single();
        snapshot.EventType.ShouldBe("execution_state");
        snapshot.EventId.ShouldBe(last);
        var data = JsonNode.Parse(snapshot.Data)!;
        ((string)data["type"]!).ShouldBe("execution.state");
        ((string)data["status"]!).ShouldBe("cancelled");
        ((string)data["terminal_reason"]!).ShouldBe("cancelled");
        data.AsObject().ContainsKey("result_text").ShouldBeFalse();
    }

    [Fact]
    public async Task A_stream_ends_when_its_execution_ends_while_it_reads()
    {
        var threadKey = Http.NewThread();
        var executionId = await server.Api.Queue(threadKey);
        var reading = Frames(threadKey, $"?execution_id={executionId}");
        await server.Api.PostOk($"/agent/executions/{executionId}/cancel", new JsonObject());
        (await reading.WaitAsync(TimeSpan.FromSeconds(10), Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Live_deltas_come_without_an_id_and_only_to_who_asked()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var deltas = server.Services.GetRequiredService<LiveDeltas>();
        using var live = await Open(threadKey, "?live=1");
        using var stored = await Open(threadKey, "");
        var liveItems = SseParser.Create(await live.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel).GetAsyncEnumerator(Cancel);
        var storedItems = SseParser.Create(await stored.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel).GetAsyncEnumerator(Cancel);
        var first = liveItems.MoveNextAsync().AsTask();
        while (!first.IsCompleted)
        {
            deltas.Publish(threadKey, null, "amp_raw_event", """{"delta":"x y"}""");
            await Task.WhenAny(first, Task.Delay(20, Cancel));
        }

        liveItems.Current.Data.ShouldBe("""{"delta":"x y"}""");
        liveItems.Current.EventId.ShouldBeNull();
        await Write(threadKey, 1);
        (await storedItems.MoveNextAsync()).ShouldBeTrue();
        ((int)JsonNode.Parse(storedItems.Current.Data)!["n"]!).ShouldBe(0);
        await liveItems.DisposeAsync();
        await storedItems.DisposeAsync();
    }

    [Fact]
    public async Task Text_keeps_its_spaces_quotes_and_scripts()
    {
        const string Text = "a \" b, c: {\"d\": 1} \\ ü 語 \n 🦄";
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        await Append(threadKey, new JsonObject { ["text"] = Text });
        using var response = await Open(threadKey, "");
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel))
        {
            ((string)JsonNode.Parse(item.Data)!["text"]!).ShouldBe(Text);
            break;
        }
    }

    [Fact]
    public async Task F23_A_batch_is_bounded_in_bytes_and_still_complete()
    {
        var threadKey = Http.NewThread();
        await server.Api.Spawn(threadKey);
        var random = new Random(7);
        for (var i = 0; i < 12; i++)
            await Append(threadKey, new JsonObject { ["n"] = i, ["noise"] = Convert.ToBase64String(Enumerable.Range(0, 90_000).Select(_ => (byte)random.Next(256)).ToArray()) });
        var events = server.Services.GetRequiredService<EventStore>();
        (await events.After(threadKey, null, 0, 200, Cancel)).Count.ShouldBeLessThan(12);
        (await ReadAll(threadKey, 0, 12)).ShouldBe(Enumerable.Range(0, 12));
    }

    async Task Write(string threadKey, int count)
    {
        for (var i = 0; i < count; i++)
            await Append(threadKey, new JsonObject { ["n"] = i });
    }

    Task Append(string threadKey, JsonObject json) =>
        server.Services.GetRequiredService<PostgresDatabase>().InTransaction(
            async session =>
            {
                await session.LockThread(threadKey, Cancel);
                await server.Services.GetRequiredService<EventStore>().Append(session, threadKey, null, [new NewEvent("test", json.ToJsonString())], Cancel);
            },
            Cancel);

    async Task<IReadOnlyList<int>> ReadAll(string threadKey, long after, int count) =>
        (await Take(threadKey, after, count)).Select(i => (int)JsonNode.Parse(i.Data)!["n"]!).ToList();

    async Task<IReadOnlyList<long>> Ids(string threadKey, int count) =>
        (await Take(threadKey, 0, count)).Select(i => long.Parse(i.EventId!, System.Globalization.CultureInfo.InvariantCulture)).ToList();

    async Task<List<SseItem<string>>> Take(string threadKey, long after, int count)
    {
        var items = new List<SseItem<string>>();
        if (count == 0)
            return items;
        using var response = await Open(threadKey, $"?after_event_id={after}");
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel))
        {
            items.Add(item);
            if (items.Count == count)
                break;
        }

        return items;
    }

    async Task<List<SseItem<string>>> Frames(string threadKey, string query)
    {
        using var response = await Open(threadKey, query);
        var items = new List<SseItem<string>>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel))
            items.Add(item);
        return items;
    }

    async Task<HttpResponseMessage> Open(string threadKey, string query)
    {
        var response = await server.Api.GetAsync(Path(threadKey, query), HttpCompletionOption.ResponseHeadersRead, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response;
    }

    static string Path(string threadKey, string query) => $"/agent/threads/{Uri.EscapeDataString(threadKey)}/events{query}";
}
