using System.Text.Json;
using System.Text.Json.Nodes;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness.Codex;

/// <summary>The parameters of what the driver asks of codex.</summary>
internal static class CodexRequests
{
    const string GoalCommand = "/goal ";

    public static JsonObject Initialize(HarnessLaunch launch) => new()
    {
        ["clientInfo"] = new JsonObject { ["name"] = "centaur", ["title"] = "Centaur", ["version"] = launch.Version },
        ["capabilities"] = new JsonObject { ["experimentalApi"] = true },
    };

    /// <summary>The jail is the sandbox: codex's own would need namespaces that the jail forbids, and nobody is there to approve.</summary>
    public static JsonObject Thread(HarnessLaunch launch, string? resumed)
    {
        var thread = new JsonObject { ["cwd"] = JailPaths.Workspace, ["approvalPolicy"] = "never", ["sandbox"] = "danger-full-access" };
        if (launch.Model is { } model)
            thread["model"] = model;
        if (resumed is not null)
            thread["threadId"] = resumed;
        return thread;
    }

    public static JsonObject Turn(string thread, JsonArray input) => new() { ["threadId"] = thread, ["input"] = input };

    public static JsonObject Steer(string thread, string turn, JsonArray input) =>
        new() { ["threadId"] = thread, ["expectedTurnId"] = turn, ["input"] = input.DeepClone() };

    public static JsonObject Interrupt(string thread, string turn) => new() { ["threadId"] = thread, ["turnId"] = turn };

    public static JsonObject Goal(string thread, string objective) => new() { ["threadId"] = thread, ["objective"] = objective };

    /// <summary>The objective where the whole text is <c>/goal X</c>; null otherwise.</summary>
    public static string? GoalOf(JsonArray input)
    {
        if (input is not [JsonObject only])
            return null;
        var text = only["text"]!.GetValue<string>().Trim();
        return text.StartsWith(GoalCommand, StringComparison.Ordinal) ? text[GoalCommand.Length..].Trim() : null;
    }

    /// <summary>A user message's blocks; what is not text becomes a text that says what was there.</summary>
    public static JsonArray Input(JsonElement message)
    {
        var input = new JsonArray();
        var content = message.Member("content") ?? default;
        if (content.ValueKind == JsonValueKind.String)
            input.Add((JsonNode)Text(content.GetString()!));
        foreach (var block in content.ValueKind == JsonValueKind.Array ? content.EnumerateArray().AsEnumerable() : [])
            input.Add((JsonNode)Text(TextOf(block)));
        if (input.Count == 0)
            input.Add((JsonNode)Text(""));
        return input;
    }

    static JsonObject Text(string text) => new JsonObject { ["type"] = "text", ["text"] = text };

    static string TextOf(JsonElement block)
    {
        if (block.Text("type") == "text" && block.Text("text") is { } text)
            return text;
        var name = block.Text("name") ?? block.Text("file_name") ?? block.Text("title");
        return $"[{block.Text("type") ?? "unknown"} attachment{(name is null ? "" : $" {name}")}]";
    }
}
