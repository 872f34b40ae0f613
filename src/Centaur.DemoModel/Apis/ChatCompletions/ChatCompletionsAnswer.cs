using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.ChatCompletions;

/// <summary>One answer of the Chat Completions API.</summary>
internal sealed class ChatCompletionsAnswer(ModelRequest request, Reply reply, TimeProvider clock)
{
    readonly string id = Identifier.New("chatcmpl-");
    readonly string callId = Identifier.New("call_");
    readonly long created = clock.GetUtcNow().ToUnixTimeSeconds();

    string FinishReason => reply.Call is null ? "stop" : "tool_calls";

    public JsonObject Whole()
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = reply.Text.Count > 0 ? reply.WholeText : null, ["refusal"] = null };
        if (reply.Call is { } call)
            message["tool_calls"] = new JsonArray(Call(call, call.Input, index: null));
        var choice = new JsonObject { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = FinishReason };
        var completion = Head("chat.completion", new JsonArray(choice));
        completion["usage"] = Usage();
        return completion;
    }

    public async IAsyncEnumerable<ServerSentEvent> Stream([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "", ["refusal"] = null }, null);
        foreach (var delta in reply.Text)
        {
            if (delta.Delay > TimeSpan.Zero)
                await Task.Delay(delta.Delay, clock, cancellationToken);
            yield return Chunk(new JsonObject { ["content"] = delta.Text }, null);
        }

        if (reply.Call is { } call)
        {
            yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(Call(call, "", index: 0)) }, null);
            // The real API cuts arguments wherever a token ends, so clients must join them; two pieces keep ours honest.
            var cut = call.Input.Length / 2;
            foreach (var piece in new[] { call.Input[..cut], call.Input[cut..] })
            {
                var part = new JsonObject { ["index"] = 0, ["function"] = new JsonObject { ["arguments"] = piece } };
                yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(part) }, null);
            }
        }

        yield return Chunk([], FinishReason);
        if (request.StreamUsage)
        {
            var last = Head("chat.completion.chunk", []);
            last["usage"] = Usage();
            yield return new ServerSentEvent(null, last.Line());
        }

        yield return new ServerSentEvent(null, "[DONE]");
    }

    ServerSentEvent Chunk(JsonObject delta, string? finishReason)
    {
        var choice = new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finishReason };
        var chunk = Head("chat.completion.chunk", new JsonArray(choice));
        if (request.StreamUsage)
            chunk["usage"] = null;
        return new ServerSentEvent(null, chunk.Line());
    }

    JsonObject Call(ToolCall call, string arguments, int? index)
    {
        var item = new JsonObject
        {
            ["id"] = callId,
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Tool.Name, ["arguments"] = arguments },
        };
        if (index is { } at)
            item.Insert(0, "index", at);
        return item;
    }

    JsonObject Head(string kind, JsonArray choices) => new()
    {
        ["id"] = id,
        ["object"] = kind,
        ["created"] = created,
        ["model"] = request.Model,
        ["service_tier"] = "default",
        ["system_fingerprint"] = null,
        ["choices"] = choices,
    };

    JsonObject Usage() => new()
    {
        ["prompt_tokens"] = request.InputTokens,
        ["completion_tokens"] = reply.OutputTokens,
        ["total_tokens"] = request.InputTokens + reply.OutputTokens,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = 0, ["audio_tokens"] = 0 },
        ["completion_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0, ["audio_tokens"] = 0 },
    };
}
