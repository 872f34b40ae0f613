using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Platform.Telemetry;

public sealed class MetricsTests(ServerFixture server, PostgresServer postgres) : IClassFixture<ServerFixture>
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Figures_are_labelled_by_template_and_never_by_thread()
    {
        var threadKey = Tests.Http.NewThread();
        var execution = await server.Api.Queue(threadKey);
        await server.Api.Get($"/agent/threads/{Uri.EscapeDataString(threadKey)}/executions");
        await server.Api.Get($"/agent/executions/{execution}");
        await server.Api.Get($"/nowhere/{threadKey}");
        await server.Api.Send(new HttpMethod("BREW"), "/health");

        var text = await Read(server);

        text.ShouldContain("http_requests_total{method=\"GET\",route=\"/agent/threads/{thread_key}/executions\",status=\"200\"} 1\n");
        text.ShouldContain("http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1\n");
        text.ShouldContain("http_requests_total{method=\"OTHER\",");
        text.ShouldContain("http_request_duration_seconds_bucket{method=\"POST\",route=\"/agent/execute\",le=\"+Inf\"} 1\n");
        text.ShouldContain("http_request_duration_seconds_count{method=\"POST\",route=\"/agent/execute\"} 1\n");
        text.ShouldContain("centaur_executions{status=\"queued\"} 1\n");
        text.ShouldContain("centaur_executions{status=\"completed\"} 0\n");
        text.ShouldContain("centaur_execution_queue_depth 1\n");
        text.ShouldContain("centaur_sandboxes{state=\"starting\"} 1\n");
        text.ShouldContain("# TYPE centaur_workers gauge\n");
        text.ShouldContain("centaur_database_reached 1\n");
        long.Parse(text.Split('\n').Single(l => l.StartsWith("centaur_event_log_bytes ", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(0);
        text.ShouldNotContain(threadKey);
        text.ShouldNotContain(execution);
    }

    [Fact]
    public async Task F8_Figures_of_the_process_are_there_while_the_database_is_away()
    {
        await using var own = new ServerFixture(postgres);
        await own.Start(Cancel);
        await Read(own);

        var text = "";
        await postgres.Interrupt(own.ConnectionString, async () => text = await Read(own), Cancel);

        text.ShouldContain("centaur_database_reached 0\n");
        text.ShouldContain("http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 1\n");
    }

    [Fact]
    public async Task F28_Figures_need_admin()
    {
        var key = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "agent", ["scopes"] = new JsonArray("agent") });

        (await server.Client().Get("/metrics")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await server.Client((string)key["key"]!).Get("/metrics")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await server.Public.Get("/metrics")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    static async Task<string> Read(ServerFixture from)
    {
        using var response = await from.Api.GetAsync("/metrics", Cancel);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        return await response.Content.ReadAsStringAsync(Cancel);
    }
}
