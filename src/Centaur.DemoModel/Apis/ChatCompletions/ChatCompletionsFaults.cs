using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis.ChatCompletions;

/// <summary>What the Chat Completions API refuses.</summary>
internal static class ChatCompletionsFaults
{
    static readonly HashSet<string> Parameters =
    [
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages", "metadata",
        "modalities", "model", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format",
        "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs",
        "top_p", "user", "verbosity", "web_search_options",
    ];

    static readonly string[] Roles = ["system", "assistant", "user", "function", "tool", "developer"];

    public static IEnumerable<ApiFault> Of(JsonObject body)
    {
        if (body["model"].Text() is not { Length: > 0 })
            yield return new ApiFault(StatusCodes.Status400BadRequest, "you must provide a model parameter");
        if (body.Select(member => member.Key).FirstOrDefault(name => !Parameters.Contains(name)) is { } unknown)
            yield return ApiFault.Unknown(unknown);
        if (body["stream"] is { } stream && !stream.IsBoolean())
            yield return ApiFault.WrongType("stream", "a boolean");
        if (body["stream_options"] is not null && !body["stream"].True())
            yield return ApiFault.Bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
        foreach (var fault in OfTools(body["tools"]))
            yield return fault;
        if (body["messages"] is not JsonArray messages)
            yield return body["messages"] is null ? ApiFault.Missing("messages") : ApiFault.WrongType("messages", "an array");
        else if (messages.Count == 0)
            yield return ApiFault.Bad("Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", "messages");
        else
        {
            foreach (var fault in OfMessages(messages))
                yield return fault;
        }
    }

    static IEnumerable<ApiFault> OfTools(JsonNode? tools)
    {
        if (tools is null)
            yield break;
        if (tools is not JsonArray array)
        {
            yield return ApiFault.WrongType("tools", "an array of tools");
            yield break;
        }

        if (array.Count == 0)
            yield return ApiFault.Bad("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.", "tools");
        for (var i = 0; i < array.Count; i++)
        {
            var type = array[i].Text("type");
            if (type is not ("function" or "custom"))
                yield return type is null ? ApiFault.Missing($"tools[{i}].type") : ApiFault.WrongValue($"tools[{i}].type", type, ["function", "custom"]);
            if (type is not null && array[i]![type].Text("name") is not { Length: > 0 })
                yield return ApiFault.Missing($"tools[{i}].{type}.name");
        }
    }

    static IEnumerable<ApiFault> OfMessages(JsonArray messages)
    {
        var open = new HashSet<string>();
        for (var i = 0; i < messages.Count; i++)
        {
            var at = $"messages[{i}]";
            if (messages[i] is not JsonObject message)
            {
                yield return ApiFault.WrongType(at, "an object");
                yield break;
            }

            var role = message["role"].Text();
            if (!Roles.Contains(role))
                yield return role is null ? ApiFault.Missing($"{at}.role") : ApiFault.WrongValue($"{at}.role", role, Roles);
            if (role == "tool")
            {
                if (message["tool_call_id"].Text() is not { } answered)
                    yield return ApiFault.Missing($"{at}.tool_call_id");
                else if (!open.Remove(answered))
                    yield return ApiFault.Bad("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", $"{at}.role");
            }
            else if (open.Count > 0)
                yield return Unanswered(open, at);

            var calls = message["tool_calls"].Items().ToList();
            foreach (var call in calls)
            {
                if (call.Text("id") is not { } id || call!["function"].Text("name") is null || call["function"].Text("arguments") is null)
                    yield return ApiFault.Missing($"{at}.tool_calls[0].id, .function.name or .function.arguments");
                else
                    open.Add(id);
            }

            if (message["content"] is null && calls.Count == 0)
                yield return ApiFault.WrongType($"{at}.content", "a string or an array, but got null");
            else if (message["content"] is { } content && content is not JsonArray && content.Text() is null)
                yield return ApiFault.WrongType($"{at}.content", "a string or an array");
            if (message["content"].Items().Any(part => part.Text("type") is null))
                yield return ApiFault.Missing($"{at}.content[0].type");
        }

        if (open.Count > 0)
            yield return Unanswered(open, "messages");
    }

    static ApiFault Unanswered(HashSet<string> open, string at) => ApiFault.Bad(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        + $"The following tool_call_ids did not have response messages: {string.Join(", ", open)}", at);
}
