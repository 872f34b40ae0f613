using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Centaur.Cli.Tests;

/// <summary>
/// The API of the contract for one thread, as strict as the real one about keys, fields, generations and idempotency, with faults on request.
/// The real server is met in the end-to-end tests; here its answers can be broken.
/// </summary>
public sealed class StandInServer : IAsyncDisposable
{
    public const string Key = "aiv2_test-key-test-key-test-key-test-key-test-key";

    readonly WebApplication app;
    readonly ConcurrentDictionary<string, string> requests = new(StringComparer.Ordinal);

    StandInServer(WebApplication app) => this.app = app;

    public string Address { get; private set; } = "";

    /// <summary>Kinds and bodies of the events of the one execution, ids from 1 on.</summary>
    public List<(string Kind, string Json)> Events { get; } = [];

    /// <summary>The stream ends after so many events, once for each entry: a server that goes down in good order.</summary>
    public Queue<int> Breaks { get; } = [];

    /// <summary>So many requests are answered 503 first.</summary>
    public int Unready { get; set; }

    /// <summary>The cursors with which the stream was opened.</summary>
    public ConcurrentQueue<long> Cursors { get; } = [];

    public ConcurrentQueue<JsonObject> Executed { get; } = [];

    public ConcurrentQueue<JsonObject> Messages { get; } = [];

    /// <summary>Counts the executions that were asked for.</summary>
    public SemaphoreSlim Executing { get; } = new(0);

    /// <summary>An execution is answered when this is done, as it is unless a test puts another here.</summary>
    public TaskCompletionSource ExecuteMayBeAnswered { get; set; } = Done();

    /// <summary>Counts the cancels that have come.</summary>
    public SemaphoreSlim Cancels { get; } = new(0);

    /// <summary>A cancel is answered when this is done, as it is unless a test puts another here.</summary>
    public TaskCompletionSource CancelMayBeAnswered { get; set; } = Done();

    public ConcurrentDictionary<string, JsonObject> Secrets { get; } = new(StringComparer.Ordinal);

    /// <summary>The harness of every thread.</summary>
    public string BoundTo { get; set; } = "codex";

    public byte[]? Bundle { get; private set; }

    public string BundleQuery { get; private set; } = "";

    /// <summary>The body of <c>GET /agent/executions/exe_1</c>.</summary>
    public string Execution { get; set; } =
        """{"execution_id":"exe_1","thread_key":"t","status":"completed","result_text":"PONG","metadata":{"harness":"codex","harness_version":"0.169.0"}}""";

    public Dictionary<string, string> Variables => new(StringComparer.Ordinal) { ["CENTAUR_API_URL"] = Address, ["CENTAUR_API_KEY"] = Key };

    public static async Task<StandInServer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var built = builder.Build();
        built.Urls.Add("http://127.0.0.1:0");
        var server = new StandInServer(built);
        server.Map();
        await built.StartAsync();
        server.Address = built.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return server;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    void Map()
    {
        app.Use(Admit);
        app.MapPost("/agent/spawn", async (HttpContext http, CancellationToken _) =>
        {
            http.Request.EnableBuffering();
            var harness = (await Body(http))["harness"]?.ToString();
            http.Request.Body.Position = 0;
            return harness is not null && harness != BoundTo
                ? Results.Json(new { code = "ACTIVE_ASSIGNMENT_PROMPT_MISMATCH", message = $"The thread is assigned to harness:{BoundTo}." }, statusCode: 409)
                : await Once(http, ["thread_key", "spawn_id"], "spawn_id", _ => """{"ok":true,"assignment_generation":3,"runtime_id":"r"}""");
        });
        app.MapPost("/agent/message", (HttpContext http, CancellationToken _) => Once(http, ["thread_key", "assignment_generation", "message_id", "parts"], "message_id", body =>
        {
            Messages.Enqueue(body);
            return """{"ok":true}""";
        }));
        app.MapPost("/agent/execute", async (HttpContext http, CancellationToken _) =>
        {
            Executing.Release();
            await ExecuteMayBeAnswered.Task;
            return await Once(http, ["thread_key", "assignment_generation", "execute_id", "delivery"], "execute_id", body =>
            {
                Executed.Enqueue(body);
                return """{"ok":true,"execution_id":"exe_1","status":"queued"}""";
            });
        });
        app.MapGet("/agent/threads/{key}/events", Stream);
        app.MapGet("/agent/executions/exe_1", () => Results.Content(Execution, "application/json"));
        app.MapPost("/agent/executions/exe_1/cancel", async () =>
        {
            Cancels.Release();
            await CancelMayBeAnswered.Task;
            return Results.Content("""{"ok":true,"status":"cancel_requested"}""", "application/json");
        });
        app.MapPost("/agent/stop", async (HttpContext http, CancellationToken _) => Results.Json(new { ok = (await Body(http))["thread_key"]!.ToString() == "t-1" }));
        app.MapPost("/agent/threads/{key}/release", (HttpContext http, string key) => Once(http, ["release_id", "cancel_inflight"], "release_id", body =>
            $$"""{"ok":true,"thread_key":"{{key}}","released":{{(key == "t-1" && body["cancel_inflight"]!.GetValue<bool>() ? "true" : "false")}}}"""));
        app.MapPost("/agent/workspaces/{key}/bundle", (HttpContext http, string key) => TakeBundle(http));
        app.MapGet("/agent/threads", () => Results.Content(
            """{"threads":[{"slack_thread_key":"t-1","harness":"codex","state":"idle","created_at":1.5,"last_activity":1763661600.0,"turn_count":2,"first_message":"What is new?","thread_name":"PONG"}]}""", "application/json"));
        MapReading();
        app.MapGet("/admin/secrets", () => Results.Json(new { secrets = Secrets.Select(secret => new JsonObject { ["name"] = secret.Key, ["source"] = secret.Value["source"]?.DeepClone(), ["bindings"] = secret.Value["bindings"]?.DeepClone() }) }));
        app.MapPost("/admin/api-keys", async (HttpContext http, CancellationToken _) =>
        {
            var body = await Body(http);
            return body["scopes"]!.AsArray().Any(scope => scope!.ToString() == "nonsense")
                ? Results.Json(new { detail = "Invalid scope: nonsense. Must be one of: *" }, statusCode: 400)
                : Results.Content($$"""{"key":"aiv2_new","id":"k1","name":{{body["name"]!.ToJsonString()}},"key_prefix":"aiv2_new","scopes":{{body["scopes"]!.ToJsonString()}},"message":"m"}""", "application/json");
        });
        app.MapDelete("/admin/api-keys/{id}", (string id) =>
            id == "k1" ? Results.Content("""{"status":"revoked","id":"k1"}""", "application/json") : Results.Json(new { detail = "API key not found or already revoked" }, statusCode: 404));
    }

    /// <summary>
    /// Three threads are there: <c>t-1</c>, whose last turn failed, <c>t-2</c>, which has said nothing and has no sandbox, and <c>t-3</c>, whose session is forgotten.
    /// </summary>
    void MapReading()
    {
        app.MapGet("/agent/status", (string key) => Results.Json(new { thread_key = key, status = key switch { "t-1" => "running", "t-2" => "gone", _ => "not_found" }, pending_messages = 0 }));
        app.MapGet("/agent/messages", (string thread_key) => Results.Content(
            thread_key is "t-1" or "t-3" ? """{"messages":[{"id":"m1","role":"user","parts":[{"type":"text","text":"What is new?"},{"type":"attachment_ref","id":"att-1","name":"report.pdf","mime_type":"application/pdf"}]}],"cursor":"m1","has_more":false}""" : """{"messages":[],"cursor":null,"has_more":false}""",
            "application/json"));
        app.MapGet("/agent/threads/{key}/executions", (string key) => Results.Content(
            key == "t-1"
                ? """
                  {"thread_key":"t-1","executions":[
                    {"execution_id":"exe_1","execute_id":"b","status":"failed_permanent","created_at":"2025-11-20T18:01:00.123456+00:00","started_at":"2025-11-20T18:01:00+00:00","completed_at":"2025-11-20T18:01:02.5+00:00"},
                    {"execution_id":"exe_0","execute_id":"a","status":"completed","created_at":"2025-11-20T18:00:00.654321+00:00","started_at":null,"completed_at":null}]}
                  """
                : """{"executions":[]}""",
            "application/json"));
        MapEgress();
        app.MapPut("/admin/secrets/{name}", () => Results.Json(
            new { detail = new[] { new { loc = new[] { "body", "bindings" }, msg = "each binding must name its hosts", type = "value_error" }, new { loc = new[] { "body", "name" }, msg = "name is odd.", type = "value_error" } } }, statusCode: 422));
    }

    /// <summary>What a proxy recorded, with a host that tries to steer the terminal.</summary>
    void MapEgress()
    {
        app.MapGet("/agent/threads/{key}/egress", (string key, long? after) => key == "t-1" ? Results.Content(EgressAfter(after ?? 0), "application/json") : Results.Json(new { detail = "thread not found" }, statusCode: 404));
        app.MapGet("/admin/egress", (long? after) => Results.Content(EgressAfter(after ?? 0), "application/json"));
        app.MapGet("/admin/egress/{id}", (long id) => id == 7 ? Results.Content(EgressAfter(0), "application/json") : Results.Json(new { detail = "egress record not found" }, statusCode: 404));
        app.MapGet("/admin/egress/verify", (string? sandbox_id) => Results.Content(
            sandbox_id == "sbx-bad"
                ? """{"holds":false,"sandboxes":1,"records":3,"faults":[{"sandbox_id":"sbx-bad","line":4,"record_id":9,"what":"does not follow from the line before it: it was altered, or moved here"}]}"""
                : """{"holds":true,"sandboxes":2,"records":9,"faults":[]}""",
            "application/json"));
    }

    static string EgressAfter(long after) => after >= 9
        ? """{"records":[],"cursor":9}"""
        : """
          {"records":[
            {"record_id":7,"sandbox_id":"sbx-1","line":1,"stored_at":"2026-11-21T20:00:02+00:00","record":{"time":"2026-11-21T20:00:00.1234567+00:00","kind":"intent","principal":"ann by ci","id":"a-1","host":"api.vendor.test","port":443,"method":"POST","path":"/v1/x","query":"q=…","rule":"model","secrets":["KEY","OTHER"]}},
            {"record_id":8,"sandbox_id":"sbx-1","line":2,"stored_at":"2026-11-21T20:00:02+00:00","record":{"time":"2026-11-21T20:00:01+00:00","kind":"outcome","principal":"ann by ci","id":"a-1","host":"api.vendor.test","status":200,"bytes_sent":5120,"bytes_received":20934,"duration_ms":2310.7}},
            {"record_id":9,"sandbox_id":"sbx-1","line":3,"stored_at":"2026-11-21T20:00:02+00:00","record":{"time":"2026-11-21T20:00:02+00:00","kind":"refusal","host":"evil\u001b[2J\nfake.test","port":8443,"method":"GET","path":"/","status":403,"cause":"host_not_allowed"}}],
           "cursor":9}
          """;

    async Task Admit(HttpContext http, RequestDelegate next)
    {
        if (Unready > 0)
        {
            Unready--;
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        else if (http.Request.Headers["X-Api-Key"] != Key)
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await http.Response.WriteAsJsonAsync(new { detail = "Invalid API key" });
        }
        else
        {
            await next(http);
        }
    }

    /// <summary>The same id with the same body is answered from memory; with another body it is a conflict.</summary>
    async Task<IResult> Once(HttpContext http, string[] required, string id, Func<JsonObject, string> answer)
    {
        var body = await Body(http);
        if (required.FirstOrDefault(name => !body.ContainsKey(name)) is { } missing)
            return Results.Json(new { code = "MISSING_FIELD", message = $"{missing} is required" }, statusCode: 422);
        if (body.ContainsKey("assignment_generation") && (int)body["assignment_generation"]! != 3)
            return Results.Json(new { code = "ASSIGNMENT_GENERATION_STALE", message = "stale" }, statusCode: 409);
        var name = $"{http.Request.Path}:{body[id]}";
        var text = body.ToJsonString();
        if (requests.GetOrAdd(name, text) != text)
            return Results.Json(new { code = "IDEMPOTENCY_PAYLOAD_MISMATCH", message = "another body" }, statusCode: 409);
        return Results.Content(answer(body), "application/json");
    }

    async Task Stream(HttpContext http, long after_event_id)
    {
        Cursors.Enqueue(after_event_id);
        var until = Breaks.TryDequeue(out var events) ? events : int.MaxValue;
        http.Response.ContentType = "text/event-stream";
        await http.Response.StartAsync();
        var sent = 0;
        for (var id = after_event_id + 1; id <= Events.Count; id++)
        {
            if (sent++ == until)
                return;

            var (kind, json) = Events[(int)id - 1];
            await http.Response.WriteAsync($"id: {id}\nevent: {kind}\ndata: {json}\n\n");
            await http.Response.Body.FlushAsync();
        }

        // An execution that has not ended is followed on.
        if (!Events[^1].Json.Contains("completed", StringComparison.Ordinal) && !Events[^1].Json.Contains("failed_permanent", StringComparison.Ordinal))
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
    }

    static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    async Task<IResult> TakeBundle(HttpContext http)
    {
        using var whole = new MemoryStream();
        await http.Request.Body.CopyToAsync(whole, http.RequestAborted);
        Bundle = whole.ToArray();
        BundleQuery = http.Request.QueryString.ToString();
        return Results.Json(new { name = http.Request.Query["name"].ToString(), bytes = Bundle.Length });
    }

    static async Task<JsonObject> Body(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8, leaveOpen: true);
        return JsonNode.Parse(await reader.ReadToEndAsync()) as JsonObject ?? throw new JsonException("not an object");
    }
}
