using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Centaur.DemoModel.Script;

namespace Centaur.DemoModel.Apis.Messages;

/// <summary>One answer of the Messages API.</summary>
internal sealed class MessagesAnswer(ModelRequest request, Reply reply, TimeProvider clock)
{
    readonly string id = Identifier.New("msg_");
    readonly string callId = Identifier.New("toolu_");

    string StopReason => reply.Call is null ? "end_turn" : "tool_use";

    public JsonObject Whole()
    {
        var content = new JsonArray();
        if (reply.Text.Count > 0)
            content.Add(TextBlock(reply.WholeText));
        if (reply.Call is { } call)
            content.Add(CallBlock(call, (JsonObject)JsonNode.Parse(call.Input)!));
        return Message(content, StopReason, reply.OutputTokens);
    }

    public async IAsyncEnumerable<ServerSentEvent> Stream([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return Event("message_start", ("message", Message([], null, 1)));
        yield return Event("ping");
        var index = 0;
        if (reply.Text.Count > 0)
        {
            yield return Event("content_block_start", ("index", index), ("content_block", TextBlock("")));
            foreach (var delta in reply.Text)
            {
                if (delta.Delay > TimeSpan.Zero)
                    await Task.Delay(delta.Delay, clock, cancellationToken);
                yield return Event("content_block_delta", ("index", index), ("delta", new JsonObject { ["type"] = "text_delta", ["text"] = delta.Text }));
            }

            yield return Event("content_block_stop", ("index", index++));
        }

        if (reply.Call is { } call)
        {
            yield return Event("content_block_start", ("index", index), ("content_block", CallBlock(call, [])));
            var cut = call.Input.Length / 2;
            foreach (var piece in new[] { "", call.Input[..cut], call.Input[cut..] })
                yield return Event("content_block_delta", ("index", index), ("delta", new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = piece }));
            yield return Event("content_block_stop", ("index", index));
        }

        yield return Event("message_delta",
            ("delta", new JsonObject { ["stop_reason"] = StopReason, ["stop_sequence"] = null }),
            ("usage", new JsonObject { ["output_tokens"] = reply.OutputTokens }));
        yield return Event("message_stop");
    }

    static ServerSentEvent Event(string type, params ReadOnlySpan<(string Name, JsonNode? Value)> members)
    {
        var data = new JsonObject { ["type"] = type };
        foreach (var (name, value) in members)
            data[name] = value;
        return new ServerSentEvent(type, data.Line());
    }

    static JsonObject TextBlock(string text) => new() { ["type"] = "text", ["text"] = text };

    JsonObject CallBlock(ToolCall call, JsonObject input) =>
        new() { ["type"] = "tool_use", ["id"] = callId, ["name"] = call.Tool.Name, ["input"] = input };

    JsonObject Message(JsonArray content, string? stopReason, int outputTokens) => new()
    {
        ["id"] = id,
        ["type"] = "message",
        ["role"] = "assistant",
        ["model"] = request.Model,
        ["content"] = content,
        ["stop_reason"] = stopReason,
        ["stop_sequence"] = null,
        ["usage"] = new JsonObject
        {
            ["input_tokens"] = request.InputTokens,
            ["cache_creation_input_tokens"] = 0,
            ["cache_read_input_tokens"] = 0,
            ["output_tokens"] = outputTokens,
        },
    };
}
