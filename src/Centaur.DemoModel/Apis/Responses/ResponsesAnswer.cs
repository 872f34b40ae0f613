using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Responses;

/// <summary>One answer of the Responses API: a message item where there is text, a call item where there is a tool call.</summary>
internal sealed class ResponsesAnswer(ModelRequest request, Reply reply, TimeProvider clock)
{
    readonly string id = Identifier.New("resp_");
    readonly string messageId = Identifier.New("msg_");
    readonly string callItemId = Identifier.New(reply.Call?.Tool.FreeForm == true ? "ctc_" : "fc_");
    readonly string callId = Identifier.New("call_");
    readonly long createdAt = clock.GetUtcNow().ToUnixTimeSeconds();
    int sequence;

    public JsonObject Whole() => Response("completed", [.. Output()]);

    public async IAsyncEnumerable<ServerSentEvent> Stream([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return Event("response.created", ("response", Response("in_progress", [])));
        yield return Event("response.in_progress", ("response", Response("in_progress", [])));
        var index = 0;
        if (reply.Text.Count > 0)
        {
            yield return Event("response.output_item.added", ("output_index", index), ("item", Message("in_progress", null)));
            yield return Part("response.content_part.added", ("part", TextPart("")));
            foreach (var delta in reply.Text)
            {
                if (delta.Delay > TimeSpan.Zero)
                    await Task.Delay(delta.Delay, clock, cancellationToken);
                yield return Part("response.output_text.delta", ("delta", delta.Text), ("logprobs", new JsonArray()));
            }

            yield return Part("response.output_text.done", ("text", reply.WholeText), ("logprobs", new JsonArray()));
            yield return Part("response.content_part.done", ("part", TextPart(reply.WholeText)));
            yield return Event("response.output_item.done", ("output_index", index), ("item", Message("completed", reply.WholeText)));
            index++;
        }

        if (reply.Call is { } call)
        {
            var (name, member) = call.Tool.FreeForm
                ? ("response.custom_tool_call_input", "input")
                : ("response.function_call_arguments", "arguments");
            yield return Event("response.output_item.added", ("output_index", index), ("item", CallItem(call, "in_progress", "")));
            yield return Event(name + ".delta", ("item_id", callItemId), ("output_index", index), ("delta", call.Input));
            yield return Event(name + ".done", ("item_id", callItemId), ("output_index", index), (member, call.Input));
            yield return Event("response.output_item.done", ("output_index", index), ("item", CallItem(call, "completed", call.Input)));
        }

        yield return Event("response.completed", ("response", Whole()));
    }

    IEnumerable<JsonNode?> Output()
    {
        if (reply.Text.Count > 0)
            yield return Message("completed", reply.WholeText);
        if (reply.Call is { } call)
            yield return CallItem(call, "completed", call.Input);
    }

    ServerSentEvent Part(string type, params ReadOnlySpan<(string Name, JsonNode? Value)> members) =>
        Event(type, [("item_id", messageId), ("output_index", 0), ("content_index", 0), .. members]);

    ServerSentEvent Event(string type, params ReadOnlySpan<(string Name, JsonNode? Value)> members)
    {
        var data = new JsonObject { ["type"] = type, ["sequence_number"] = sequence++ };
        foreach (var (name, value) in members)
            data[name] = value;
        return new ServerSentEvent(type, data.Line());
    }

    JsonObject Message(string status, string? text) => new()
    {
        ["id"] = messageId,
        ["type"] = "message",
        ["status"] = status,
        ["content"] = text is null ? new JsonArray() : new JsonArray(TextPart(text)),
        ["role"] = "assistant",
    };

    static JsonObject TextPart(string text) =>
        new() { ["type"] = "output_text", ["annotations"] = new JsonArray(), ["logprobs"] = new JsonArray(), ["text"] = text };

    JsonObject CallItem(ToolCall call, string status, string input)
    {
        var item = new JsonObject
        {
            ["id"] = callItemId,
            ["type"] = call.Tool.FreeForm ? "custom_tool_call" : "function_call",
            ["status"] = status,
            [call.Tool.FreeForm ? "input" : "arguments"] = input,
            ["call_id"] = callId,
            ["name"] = call.Tool.Name,
        };
        if (call.Tool.Namespace is { } group)
            item["namespace"] = group;
        return item;
    }

    JsonObject Response(string status, JsonArray output) => new()
    {
        ["id"] = id,
        ["object"] = "response",
        ["created_at"] = createdAt,
        ["status"] = status,
        ["background"] = false,
        ["error"] = null,
        ["incomplete_details"] = null,
        ["instructions"] = null,
        ["metadata"] = new JsonObject(),
        ["model"] = request.Model,
        ["output"] = output,
        ["parallel_tool_calls"] = true,
        ["previous_response_id"] = null,
        ["store"] = false,
        ["tool_choice"] = "auto",
        ["tools"] = new JsonArray(),
        ["truncation"] = "disabled",
        ["usage"] = status == "completed" ? Usage() : null,
    };

    JsonObject Usage() => new()
    {
        ["input_tokens"] = request.InputTokens,
        ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
        ["output_tokens"] = reply.OutputTokens,
        ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
        ["total_tokens"] = request.InputTokens + reply.OutputTokens,
    };
}
