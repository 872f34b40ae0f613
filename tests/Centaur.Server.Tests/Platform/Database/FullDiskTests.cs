using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Centaur.Testing;
using Centaur.Testing.Postgres;
using Npgsql;

namespace Centaur.Server.Tests.Platform.Database;

/// <summary>Disks that are really full: small ones, filled.</summary>
public sealed class FullDiskTests(PostgresServer shared)
{
    const int PostBytes = 400_000;

    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F13_a_database_on_a_disk_that_fills_up_refuses_writes_with_an_alert_serves_reads_and_goes_on_when_there_is_room()
    {
        await using var postgres = new PostgresServer { Disk = "100m" };
        var database = await postgres.CreateDatabase(Cancel);
        await using var server = await ServerProcess.Start(database, "", Cancel);
        var thread = Tests.Http.NewThread();
        await server.Api.Spawn(thread);
        await Sql(database, "create table filler (bytes bytea); alter table filler alter column bytes set storage external");
        await Sql(database, "insert into filler select decode(repeat('ab', 1000000), 'hex') from generate_series(1, 30)");

        var stored = new List<string>();
        for (var refused = 0; refused < 3;)
        {
            stored.Count.ShouldBeLessThan(500);
            var (status, json) = await Post(server, thread);
            if (status == HttpStatusCode.Accepted)
                stored.Add((string)json!["execution_id"]!);
            else
                ((int)status).ShouldBe(507, "and never another word");
            refused += (int)status == 507 ? 1 : 0;
        }

        stored.Count.ShouldBeGreaterThan(10);
        (await Transcript(server, thread)).ShouldBe(stored.Count);
        (await Events(server, thread, stored.Count)).ShouldBe(stored);
        (await server.Api.GetStringAsync("/metrics", Cancel)).ShouldContain("centaur_alerts_total{alert=\"database_disk_full\"} 3\n");
        server.Log.ShouldContain("Alert database_disk_full: POST /agent/execute could not be stored");

        await Sql(database, "drop table filler");
        await Sql(database, "checkpoint");
        var (later, execution) = await Post(server, thread);
        later.ShouldBe(HttpStatusCode.Accepted);
        (await Transcript(server, thread)).ShouldBe(stored.Count + 1);
        (await Events(server, thread, stored.Count + 1)).ShouldBe([.. stored, (string)execution!["execution_id"]!]);
    }

    [Fact]
    public async Task F13_a_server_whose_own_disk_is_full_refuses_an_upload_with_an_alert_and_takes_it_when_there_is_room()
    {
        await using var server = await ServerProcess.Start(await shared.CreateDatabase(Cancel), "", Cancel, null, home =>
        {
            var uploads = Path.Combine(home, "uploads");
            Directory.CreateDirectory(uploads);
            return OwnMounts.SmallDisk(uploads, "1m");
        });
        var thread = Tests.Http.NewThread();
        await server.Api.Spawn(thread);

        ((int)await Upload(server, thread, 4 << 20)).ShouldBe(507);
        server.Log.ShouldContain("Alert server_disk_full: POST /agent/workspaces");
        (await server.Api.GetStringAsync("/metrics", Cancel)).ShouldContain("centaur_alerts_total{alert=\"server_disk_full\"} 1\n");
        // What was refused has left nothing, or this would not fit. It is no bundle, which is said only of what was read whole.
        (await Upload(server, thread, 800 << 10)).ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    /// <summary>A turn with a message of which nothing can be saved by packing: transcript, request, execution and event, or none of them.</summary>
    static Task<(HttpStatusCode Status, JsonNode? Json)> Post(ServerProcess server, string thread) =>
        server.Api.Post("/agent/execute", new JsonObject
        {
            ["thread_key"] = thread, ["message"] = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(PostBytes)),
        });

    static async Task<HttpStatusCode> Upload(ServerProcess server, string thread, int bytes)
    {
        using var content = new ByteArrayContent(new byte[bytes]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await server.Api.PostAsync($"/agent/workspaces/{Uri.EscapeDataString(thread)}/bundle", content, Cancel);
        return response.StatusCode;
    }

    /// <summary>How many messages the thread has, over as many pages as it takes.</summary>
    static async Task<int> Transcript(ServerProcess server, string thread)
    {
        var count = 0;
        for (var cursor = ""; ;)
        {
            var page = (await server.Api.Get($"/agent/messages?thread_key={Uri.EscapeDataString(thread)}&limit=20&cursor={cursor}")).Json!;
            page["messages"].ShouldNotBeNull(page.ToJsonString());
            count += page["messages"]!.AsArray().Count;
            if (!(bool)page["has_more"]!)
                return count;
            cursor = (string)page["cursor"]!;
        }
    }

    /// <summary>The executions that the thread's first events are about.</summary>
    static async Task<List<string>> Events(ServerProcess server, string thread, int count)
    {
        using var response = await server.Api.GetAsync($"/agent/threads/{Uri.EscapeDataString(thread)}/events", HttpCompletionOption.ResponseHeadersRead, Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await SseParser.Create(await response.Content.ReadAsStreamAsync(Cancel)).EnumerateAsync(Cancel)
            .Take(count).Select(item => (string)JsonNode.Parse(item.Data)!["execution_id"]!).ToListAsync(Cancel);
    }

    static async Task Sql(string database, string statement)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
