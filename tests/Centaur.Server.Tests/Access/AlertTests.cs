using System.Net;
using System.Text.Json.Nodes;
using Centaur.Testing.Postgres;

namespace Centaur.Server.Tests.Access;

/// <summary>What an operator hears of a sandbox that asks for what is not its own. The server is a process of its own, so that its log can be read.</summary>
public sealed class AlertTests(PostgresServer postgres)
{
    const string Key = "a signing key that the test knows";

    [Fact]
    public async Task F28_A_sandbox_that_calls_operators_routes_or_another_session_is_403_with_an_alert_that_names_it()
    {
        await using var server = await ServerProcess.Start(
            await postgres.CreateDatabase(TestContext.Current.CancellationToken), "", TestContext.Current.CancellationToken, new Dictionary<string, string> { ["SANDBOX_SIGNING_KEY"] = Key });
        var (thread, other) = (Http.NewThread(), Http.NewThread());
        var sandbox = (string)(await server.Api.Spawn(thread))["runtime_id"]!;
        await server.Api.Spawn(other);
        using var client = new HttpClient(new SocketsHttpHandler()) { BaseAddress = server.Api.BaseAddress };
        client.DefaultRequestHeaders.Add("X-Api-Key", SignedToken.Of(SignedToken.Claims(thread, sandbox), SignedToken.With(Key)));
        (await Alerts(server)).ShouldBe(0);

        (await client.Get("/admin/secrets")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await client.Get($"/agent/messages?thread_key={Uri.EscapeDataString(other)}")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await client.Post($"/agent/threads/{Uri.EscapeDataString(other)}/release", new JsonObject())).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await client.Get($"/agent/messages?thread_key={Uri.EscapeDataString(thread)}")).Status.ShouldBe(HttpStatusCode.OK);

        (await Alerts(server)).ShouldBe(3);
        server.Log.ShouldContain($"Alert sandbox_refused: sandbox {sandbox} of thread {thread} was refused GET /admin/secrets");
        server.Log.Split('\n').Count(line => line.Contains("\"EventId\":1401", StringComparison.Ordinal)).ShouldBeInRange(1, 3);
        // An operator's key that lacks a scope is a mistake, and no alert.
        var weak = await server.Api.PostOk("/admin/api-keys", new JsonObject { ["name"] = "weak", ["scopes"] = new JsonArray("agent:status") });
        client.DefaultRequestHeaders.Remove("X-Api-Key");
        client.DefaultRequestHeaders.Add("X-Api-Key", (string)weak["key"]!);
        (await client.Get("/admin/secrets")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await Alerts(server)).ShouldBe(3);
    }

    static async Task<int> Alerts(ServerProcess server)
    {
        const string Sample = "centaur_alerts_total{alert=\"sandbox_refused\"} ";
        var text = await server.Api.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        return int.Parse(text.Split('\n').Single(line => line.StartsWith(Sample, StringComparison.Ordinal))[Sample.Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
