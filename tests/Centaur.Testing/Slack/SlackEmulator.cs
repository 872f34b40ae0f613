using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Centaur.Protocol.Sandbox;
using Centaur.Testing.Harnesses;

namespace Centaur.Testing.Slack;

/// <summary>
/// The Slack of the npm package <c>emulate</c>, as a process of its own on loopback: a workspace with a bot, a person and the channel <c>general</c>. It keeps messages, threads and
/// metadata as Slack does; what it cannot do (429, outages) is in <see cref="FakeSlack"/>.
/// </summary>
public sealed class SlackEmulator : IAsyncDisposable
{
    public const string BotToken = "xoxb-test-bot";
    const string PersonToken = "xoxp-test-person";
    static readonly HarnessPin Package = new("emulate", "emulate", "0.12.2", "node_modules/emulate/dist/api.js");

    readonly Process process;
    readonly HttpClient http;

    SlackEmulator(Process process, Uri address)
    {
        this.process = process;
        http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(address, "api/") };
    }

    /// <summary>For <c>slack.api_url</c>.</summary>
    public Uri ApiUrl => http.BaseAddress!;

    public string TeamId { get; private set; } = "";

    public string BotUser { get; private set; } = "";

    public string Person { get; private set; } = "";

    public string Channel { get; private set; } = "";

    public static async Task<SlackEmulator> Start(CancellationToken cancellationToken)
    {
        var entry = await HarnessInstallation.Program(Package, cancellationToken);
        var seed = new JsonObject
        {
            ["slack"] = new JsonObject
            {
                ["users"] = new JsonArray(new JsonObject { ["name"] = "centaur" }, new JsonObject { ["name"] = "alice" }),
                ["tokens"] = new JsonArray(
                    new JsonObject { ["token"] = BotToken, ["user"] = "centaur", ["type"] = "bot" }, new JsonObject { ["token"] = PersonToken, ["user"] = "alice", ["type"] = "user" }),
            },
        };
        var start = new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "Slack", "slack-emulator.mjs"), entry, seed.ToJsonString()])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var node = Process.Start(start)!;
        var line = await node.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The Slack emulator ended at its start.");
        var emulator = new SlackEmulator(node, new Uri(line.Trim()));
        var bot = await emulator.Call(BotToken, "auth.test", [], cancellationToken);
        (emulator.TeamId, emulator.BotUser) = ((string)bot["team_id"]!, (string)bot["user_id"]!);
        emulator.Person = (string)(await emulator.Call(PersonToken, "auth.test", [], cancellationToken))["user_id"]!;
        emulator.Channel = (string)(await emulator.Call(PersonToken, "conversations.list", [], cancellationToken))["channels"]!.AsArray().First(c => (string)c!["name"]! == "general")!["id"]!;
        return emulator;
    }

    /// <summary>The person writes in the channel, or in a thread of it.</summary>
    /// <returns>The message's ts.</returns>
    public async Task<string> Say(string text, string? threadTs, CancellationToken cancellationToken)
    {
        var message = new JsonObject { ["channel"] = Channel, ["text"] = text };
        if (threadTs is not null)
            message["thread_ts"] = threadTs;
        return (string)(await Call(PersonToken, "chat.postMessage", message, cancellationToken))["ts"]!;
    }

    /// <summary>The bot's messages in a thread, oldest first.</summary>
    public async Task<IReadOnlyList<JsonObject>> Answers(string threadTs, CancellationToken cancellationToken)
    {
        var replies = await Call(PersonToken, "conversations.replies", new JsonObject { ["channel"] = Channel, ["ts"] = threadTs }, cancellationToken);
        return [.. replies["messages"]!.AsArray().Select(m => m!.AsObject()).Where(m => (string?)m["user"] == BotUser)];
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    async Task<JsonObject> Call(string token, string method, JsonObject body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, method) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, cancellationToken);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!.AsObject();
        return (bool)answer["ok"]! ? answer : throw new InvalidOperationException($"{method}: {answer.ToJsonString()}");
    }
}
