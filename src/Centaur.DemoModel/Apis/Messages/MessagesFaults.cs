using System.Text.Json;
using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis.Messages;

/// <summary>What the Messages API refuses.</summary>
internal static class MessagesFaults
{
    static readonly HashSet<string> Parameters =
    [
        "cache_control", "container", "context_management", "diagnostics", "inference_geo", "max_tokens", "mcp_servers", "messages", "metadata", "model",
        "output_config", "output_format", "service_tier", "speed", "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools",
        "top_k", "top_p",
    ];

    static readonly string[] Roles = ["user", "assistant"];

    static readonly HashSet<string> Blocks =
    [
        "text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use", "tool_result", "server_tool_use",
        "web_search_tool_result", "web_fetch_tool_result", "container_upload", "tool_reference", "mcp_tool_use", "mcp_tool_result",
    ];

    public static IEnumerable<ApiFault> Of(JsonObject body, IHeaderDictionary headers)
    {
        if (headers["anthropic-version"].Count == 0)
            yield return ApiFault.Bad("header is required", "anthropic-version");
        if (body["model"].Text() is not { Length: > 0 })
            yield return Required("model");
        if (body["max_tokens"] is null)
            yield return Required("max_tokens");
        else if (body["max_tokens"] is not JsonValue limit || limit.GetValueKind() != JsonValueKind.Number || !limit.TryGetValue<long>(out var tokens) || tokens < 1)
            yield return ApiFault.Bad("Input should be greater than or equal to 1", "max_tokens");
        if (body.Select(member => member.Key).FirstOrDefault(name => !Parameters.Contains(name)) is { } unknown)
            yield return ApiFault.Bad("Extra inputs are not permitted", unknown);
        if (body["stream"] is { } stream && !stream.IsBoolean())
            yield return ApiFault.Bad("Input should be a valid boolean", "stream");
        if (body["system"] is { } system && system is not JsonArray && system.Text() is null)
            yield return ApiFault.Bad("Input should be a valid string", "system");
        foreach (var fault in OfTools(body["tools"]))
            yield return fault;
        if (body["messages"] is not JsonArray messages)
            yield return body["messages"] is null ? Required("messages") : ApiFault.Bad("Input should be a valid list", "messages");
        else if (messages.Count == 0)
            yield return ApiFault.Bad("at least one message is required", "messages");
        else
        {
            foreach (var fault in OfMessages(messages))
                yield return fault;
        }
    }

    static ApiFault Required(string member) => ApiFault.Bad("Field required", member);

    static IEnumerable<ApiFault> OfTools(JsonNode? tools)
    {
        if (tools is null)
            yield break;
        if (tools is not JsonArray array)
        {
            yield return ApiFault.Bad("Input should be a valid list", "tools");
            yield break;
        }

        for (var i = 0; i < array.Count; i++)
        {
            if (array[i].Text("name") is not { Length: > 0 })
                yield return Required($"tools.{i}.name");
            if (array[i].Text("type") is null or "custom" && array[i]!["input_schema"] is not JsonObject)
                yield return Required($"tools.{i}.custom.input_schema");
        }
    }

    static IEnumerable<ApiFault> OfMessages(JsonArray messages)
    {
        IReadOnlyList<string> open = [];
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i] is not JsonObject message)
            {
                yield return ApiFault.Bad("Input should be a valid dictionary", $"messages.{i}");
                yield break;
            }

            var role = message["role"].Text();
            if (role is null)
                yield return Required($"messages.{i}.role");
            else if (!Roles.Contains(role))
                yield return ApiFault.Bad("Input should be 'user' or 'assistant'", $"messages.{i}.role");
            if (message["content"] is not JsonArray && message["content"].Text() is null)
                yield return message["content"] is null ? Required($"messages.{i}.content") : ApiFault.Bad("Input should be a valid list", $"messages.{i}.content");
            foreach (var fault in OfBlocks(message, $"messages.{i}", open))
                yield return fault;
            open = [.. message["content"].Items().Where(block => block.Text("type") == "tool_use").Select(block => block.Text("id")).OfType<string>()];
        }

        if (open.Count > 0)
            yield return Unanswered(open, $"messages.{messages.Count - 1}");
    }

    static IEnumerable<ApiFault> OfBlocks(JsonObject message, string at, IReadOnlyList<string> open)
    {
        var answered = new HashSet<string>();
        var blocks = message["content"].Items().ToList();
        for (var i = 0; i < blocks.Count; i++)
        {
            var type = blocks[i].Text("type");
            if (type is null || !Blocks.Contains(type))
                yield return ApiFault.Bad($"Input tag '{type}' found using 'type' does not match any of the expected tags", $"{at}.content.{i}");
            if (type == "text" && blocks[i].Text("text") is not { } text)
                yield return Required($"{at}.content.{i}.text.text");
            else if (type == "text" && blocks[i].Text("text") is "")
                yield return ApiFault.Bad("text content blocks must be non-empty", "messages");
            if (type == "tool_use" && (blocks[i].Text("id") is null || blocks[i].Text("name") is null || blocks[i]!["input"] is not JsonObject))
                yield return Required($"{at}.content.{i}.tool_use.id, .name or .input");
            if (type != "tool_result")
                continue;
            if (blocks[i].Text("tool_use_id") is not { } id)
                yield return Required($"{at}.content.{i}.tool_result.tool_use_id");
            else if (!open.Contains(id))
            {
                yield return ApiFault.Bad(
                    $"unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
                    $"{at}.content.{i}");
            }
            else
                answered.Add(id);
        }

        if (open.Any(id => !answered.Contains(id)))
            yield return Unanswered(open.Where(id => !answered.Contains(id)), at);
    }

    static ApiFault Unanswered(IEnumerable<string> open, string at) => ApiFault.Bad(
        $"`tool_use` ids were found without `tool_result` blocks immediately after: {string.Join(", ", open)}. "
        + "Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at);
}
