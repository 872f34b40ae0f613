using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Centaur.Server.Tests;

/// <summary>Short words for calling the API in tests.</summary>
internal static class Http
{
    public static async Task<JsonNode> PostOk(this HttpClient client, string path, JsonNode body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var (status, json) = await client.Post(path, body);
        status.ShouldBe(expected, json?.ToJsonString());
        return json!;
    }

    public static async Task<(HttpStatusCode Status, JsonNode? Json)> Post(this HttpClient client, string path, JsonNode body)
    {
        using var response = await client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        return (response.StatusCode, await Json(response));
    }

    public static async Task<(HttpStatusCode Status, JsonNode? Json)> PostText(this HttpClient client, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(path, content, TestContext.Current.CancellationToken);
        return (response.StatusCode, await Json(response));
    }

    public static async Task<(HttpStatusCode Status, JsonNode? Json)> Get(this HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        return (response.StatusCode, await Json(response));
    }

    public static async Task<(HttpStatusCode Status, JsonNode? Json)> Send(this HttpClient client, HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await Json(response));
    }

    public static string? Code(this JsonNode? json) => (string?)json?["code"];

    public static string? Text(this JsonNode json, string member) => (string?)json[member];

    public static string NewThread() => $"test:{Guid.CreateVersion7():N}";

    public static async Task<JsonNode> Spawn(this HttpClient client, string threadKey) =>
        await client.PostOk("/agent/spawn", new JsonObject { ["thread_key"] = threadKey });

    /// <summary>Spawns a thread, gives it a message and queues an execution.</summary>
    /// <returns>The execution's id.</returns>
    public static async Task<string> Queue(this HttpClient client, string threadKey) =>
        (string)(await client.PostOk("/agent/execute", new JsonObject { ["thread_key"] = threadKey, ["message"] = "hello" }, HttpStatusCode.Accepted))["execution_id"]!;

    static async Task<JsonNode?> Json(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return text.Length > 0 && response.Content.Headers.ContentType?.MediaType == "application/json" ? JsonNode.Parse(text) : null;
    }
}
