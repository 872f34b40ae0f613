using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis.Responses;

/// <summary>What the Responses API refuses.</summary>
internal static class ResponsesFaults
{
    static readonly HashSet<string> Parameters =
    [
        "background", "client_metadata", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
        "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier",
        "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    ];

    static readonly string[] Roles = ["assistant", "system", "developer", "user"];

    static readonly string[] Contents = ["input_text", "input_image", "input_file", "input_audio", "output_text", "refusal", "summary_text", "text"];

    static readonly HashSet<string> OtherItems =
    [
        "additional_tools", "reasoning", "item_reference", "web_search_call", "file_search_call", "computer_call", "computer_call_output",
        "image_generation_call", "code_interpreter_call", "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output",
        "apply_patch_call", "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call",
        "tool_search_call", "tool_search_output", "compaction", "compaction_trigger", "context_compaction", "agent_message",
    ];

    static readonly HashSet<string> Calls = ["function_call", "custom_tool_call"];

    static readonly HashSet<string> Outputs = ["function_call_output", "custom_tool_call_output"];

    public static IEnumerable<ApiFault> Of(JsonObject body)
    {
        if (body["model"].Text() is not { Length: > 0 })
            yield return ApiFault.Missing("model");
        if (body.Select(member => member.Key).FirstOrDefault(name => !Parameters.Contains(name)) is { } unknown)
            yield return ApiFault.Unknown(unknown);
        if (body["stream"] is { } stream && !stream.IsBoolean())
            yield return ApiFault.WrongType("stream", "a boolean");
        if (body["instructions"] is { } instructions && instructions.Text() is null)
            yield return ApiFault.WrongType("instructions", "a string");
        if (body["tools"] is { } tools)
        {
            foreach (var fault in OfTools(tools, "tools"))
                yield return fault;
        }

        foreach (var fault in OfInput(body["input"]))
            yield return fault;
    }

    static IEnumerable<ApiFault> OfTools(JsonNode tools, string at)
    {
        if (tools is not JsonArray array)
        {
            yield return ApiFault.WrongType(at, "an array of tools");
            yield break;
        }

        for (var i = 0; i < array.Count; i++)
        {
            var type = array[i].Text("type");
            if (type is null)
                yield return ApiFault.Missing($"{at}[{i}].type");
            if (type is "function" or "custom" or "namespace" && array[i].Text("name") is not { Length: > 0 })
                yield return ApiFault.Missing($"{at}[{i}].name");
            if (type == "function" && array[i]!["parameters"] is { } parameters and not JsonObject)
                yield return ApiFault.WrongType($"{at}[{i}].parameters", $"an object, but got {parameters.GetValueKind()}");
            foreach (var fault in type == "namespace" && array[i]!["tools"] is { } nested ? OfTools(nested, $"{at}[{i}].tools") : [])
                yield return fault;
        }
    }

    static IEnumerable<ApiFault> OfInput(JsonNode? input)
    {
        if (input.Text() is not null)
            yield break;
        if (input is not JsonArray items)
        {
            yield return input is null ? ApiFault.Missing("input") : ApiFault.WrongType("input", "a string or an array of input items");
            yield break;
        }

        var open = new HashSet<string>();
        for (var i = 0; i < items.Count; i++)
        {
            foreach (var fault in items[i] is JsonObject item ? OfItem(item, $"input[{i}]", open) : [ApiFault.WrongType($"input[{i}]", "an object")])
                yield return fault;
        }

        if (open.Count > 0)
            yield return ApiFault.Bad($"No tool output found for function call {open.First()}.", "input");
    }

    static IEnumerable<ApiFault> OfItem(JsonObject item, string at, HashSet<string> open)
    {
        var type = item["type"].Text() ?? (item.ContainsKey("role") ? "message" : null);
        if (type is null)
            yield return ApiFault.Missing($"{at}.type");
        else if (type == "message")
        {
            foreach (var fault in OfMessage(item, at))
                yield return fault;
        }
        else if (Calls.Contains(type))
        {
            foreach (var member in type == "function_call" ? ["call_id", "name", "arguments"] : new[] { "call_id", "name", "input" })
            {
                if (item[member].Text() is null)
                    yield return ApiFault.Missing($"{at}.{member}");
            }

            open.Add(item["call_id"]!.GetValue<string>());
        }
        else if (Outputs.Contains(type))
        {
            // Codex puts what it has to say itself (a goal's text) as the output of a named tool that nobody called.
            var id = item["call_id"].Text();
            if (id is null && item["name"].Text() is null)
                yield return ApiFault.Missing($"{at}.call_id");
            else if (id is not null && !open.Remove(id))
                yield return ApiFault.Bad($"No tool call found for function call output with call_id {id}.", "input");
            if (item["output"] is not JsonArray && item["output"].Text() is null)
                yield return ApiFault.Missing($"{at}.output");
        }
        else if (!OtherItems.Contains(type))
            yield return ApiFault.WrongValue($"{at}.type", type, ["message", .. Calls, .. Outputs, .. OtherItems]);
        else if (type == "additional_tools" && item["tools"] is { } tools)
        {
            foreach (var fault in OfTools(tools, $"{at}.tools"))
                yield return fault;
        }
    }

    static IEnumerable<ApiFault> OfMessage(JsonObject message, string at)
    {
        var role = message["role"].Text();
        if (!Roles.Contains(role))
            yield return role is null ? ApiFault.Missing($"{at}.role") : ApiFault.WrongValue($"{at}.role", role, Roles);
        if (message["content"].Text() is not null)
            yield break;
        if (message["content"] is not JsonArray parts)
        {
            yield return message["content"] is null ? ApiFault.Missing($"{at}.content") : ApiFault.WrongType($"{at}.content", "a string or an array");
            yield break;
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var type = parts[i].Text("type");
            if (!Contents.Contains(type))
                yield return ApiFault.WrongValue($"{at}.content[{i}].type", type, Contents);
            if (type is "input_text" or "output_text" && parts[i].Text("text") is null)
                yield return ApiFault.Missing($"{at}.content[{i}].text");
            if (role == "assistant" && type == "input_text")
                yield return ApiFault.WrongValue($"{at}.content[{i}].type", type, ["output_text", "refusal"]);
        }
    }
}
